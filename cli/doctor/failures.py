"""The queue of the runs that failed for good."""

from collections.abc import Iterator

from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.site import Site
from cli.doctor.stack import GONE, Resources

_CHECK = "failures"


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether a run is in it."""
    client = site.aws.client("sqs", config=site.briefly)
    for url in found.of("AWS::SQS::Queue"):
        name = url.rsplit("/", 1)[-1]
        found_there = known(client.get_queue_attributes, QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        if found_there is None:
            yield failure(_CHECK, f"the queue {name} is gone: a run that fails for good is lost", GONE)
        elif waiting := int(found_there["Attributes"]["ApproximateNumberOfMessages"]):
            yield warning(
                _CHECK,
                f"{waiting} failed run(s) in {name}",
                "docs/operations.md, FailureQueued: read why, and purge the queue when a run has succeeded since",
            )
        else:
            yield fine(_CHECK, "no failed run is in the queue")
