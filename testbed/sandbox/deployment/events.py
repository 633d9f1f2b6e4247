"""ECR's events in a deployed stack: from the rules that match them to their queues, as EventBridge sends them.

MiniStack, like AWS, accepts no event of AWS's own from outside. So it only says which rules' patterns match, and the
event goes straight to their targets.
"""

import json
from datetime import UTC, datetime

from lambda_fn.contract.ecr_events import DETAIL_TYPES, Action, success
from testbed.sandbox.deployment.stack import Stack
from testbed.sandbox.installation import session
from testbed.sandbox.story import expect
from testbed.sandbox.world import World


def send(world: World, stack: Stack, action: Action, digest: str) -> None:
    """Send an event about the application's image.

    Raises:
        SandboxError: No rule matches it.
    """
    aws = session(world, "default")
    event = json.dumps(_event(world, action, digest))
    events, sqs = aws.client("events"), aws.client("sqs")
    matching = []
    for name in ("WatcherEventsRule", "WatcherDeletionsRule"):
        rule = stack.physical("AWS::Events::Rule", name)
        pattern = events.describe_rule(Name=rule)["EventPattern"]
        if events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]:
            matching.append(rule)
    expect(matching, f"no rule of the stack matches {event}")
    for rule in matching:
        (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
        url = sqs.get_queue_url(QueueName=target["Arn"].rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=event)


def _event(world: World, action: Action, digest: str) -> dict[str, object]:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html ."""
    return {
        "version": "0",
        "id": "13cde686-328b-6117-af20-0e5566167482",
        "detail-type": DETAIL_TYPES[action],
        "source": "aws.ecr",
        "account": world.account,
        "time": f"{datetime.now(UTC):%FT%TZ}",
        "region": world.region,
        "resources": [],
        "detail": {
            **success(action),
            "repository-name": world.app_repository,
            "image-digest": digest,
            "image-tag": world.app_tag,
        },
    }
