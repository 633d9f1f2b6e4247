"""Whether runs that failed after all retries are in the dead-letter queue."""

from collections.abc import Iterator

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.stack_resources import DELETED_HINT


def run(context: CheckContext) -> Iterator[Finding]:
    """How many runs are in the queue."""
    client = context.client("sqs")
    for url in context.stack.of("AWS::SQS::Queue"):
        name = url.rsplit("/", 1)[-1]
        found = get_or_none(client.get_queue_attributes, QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        if found is None:
            yield failed(f"queue {name} does not exist any more: failed runs are not recorded", DELETED_HINT)
        elif messages := int(found["Attributes"]["ApproximateNumberOfMessages"]):
            yield warning(
                f"runs failed after all retries: {messages} in the dead-letter queue {name}",
                "read why (docs/operations.md, FailureQueued); purge the queue after a run that succeeds",
            )
        else:
            yield ok(f"the dead-letter queue {name} is empty")


CHECK = Check("dead-letter-queue", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#failurequeued")
