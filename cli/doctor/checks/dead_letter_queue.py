"""Whether runs and events that failed after all retries are in a dead-letter queue."""

from collections.abc import Iterator

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
    yield from _findings(context, runs, "runs", "FailureQueued", "purge the queue after a run that succeeds")
    yield from _findings(
        context, of_watcher, "events of ECR", "EventFailed", "redrive the queue when that is corrected"
    )


def _findings(context: CheckContext, urls: list[str], what: str, section: str, then: str) -> Iterator[Finding]:
    client = context.client("sqs")
    for url in urls:
        name = url.rsplit("/", 1)[-1]
        found = get_or_none(client.get_queue_attributes, QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        if found is None:
            yield failed(f"queue {name} does not exist any more: {what} that fail are not recorded", DELETED_HINT)
        elif messages := int(found["Attributes"]["ApproximateNumberOfMessages"]):
            yield warning(
                f"{what} failed after all retries: {messages} in the dead-letter queue {name}",
                f"read why (docs/operations.md, {section}); {then}",
            )
        else:
            yield ok(f"the dead-letter queue {name} is empty")


CHECK = Check("dead-letter-queue", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#failurequeued")
