"""Whether runs and events that failed after all retries are in a dead-letter queue."""

from collections.abc import Callable, Iterator

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.stack_resources import DELETED_HINT, DELETIONS_QUEUE, EVENTS_FAILURES, EVENTS_QUEUE

_QUEUE = "AWS::SQS::Queue"


def run(context: CheckContext) -> Iterator[Finding]:
    """How many runs, and then how many events of ECR, are in their queue."""
    of_watcher = context.stack.of(_QUEUE, EVENTS_FAILURES)
    others = {*of_watcher, *context.stack.of(_QUEUE, EVENTS_QUEUE), *context.stack.of(_QUEUE, DELETIONS_QUEUE)}
    runs = [url for url in context.stack.of(_QUEUE) if url not in others]
    yield from _findings(context, runs, "runs", _purge)
    yield from _findings(context, of_watcher, "events of ECR", _redrive)


def _purge(url: str, arn: str) -> str:
    queue = f"--region {_region(arn)} --queue-url {url}"
    return (
        f"read why: aws sqs receive-message {queue} --attribute-names All --message-attribute-names All; after a run "
        f"that succeeds: aws sqs purge-queue {queue}"
    )


def _redrive(_: str, arn: str) -> str:
    return (
        "read why in the watcher's log, and correct it (docs/operations.md#eventfailed), then: aws sqs "
        f"start-message-move-task --region {_region(arn)} --source-arn {arn}"
    )


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _findings(context: CheckContext, urls: list[str], what: str, hint: Callable[[str, str], str]) -> Iterator[Finding]:
    client, wanted = context.client("sqs"), ["ApproximateNumberOfMessages", "QueueArn"]
    for url in urls:
        name = url.rsplit("/", 1)[-1]
        found = get_or_none(client.get_queue_attributes, QueueUrl=url, AttributeNames=wanted)
        if found is None:
            yield failed(f"queue {name} does not exist any more: {what} that fail are not recorded", DELETED_HINT)
        elif messages := int(found["Attributes"]["ApproximateNumberOfMessages"]):
            yield warning(
                f"{what} failed after all retries: {messages} in the dead-letter queue {name}",
                hint(url, found["Attributes"]["QueueArn"]),
            )
        else:
            yield ok(f"the dead-letter queue {name} is empty")


CHECK = Check("dead-letter-queue", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#failurequeued")
