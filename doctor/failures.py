"""The queue of the runs that failed for good."""

from collections.abc import Iterator

from doctor.finding import Finding, fine, warning
from doctor.site import Site
from doctor.stack import Resources


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether a run is in it."""
    client = site.aws.client("sqs", config=site.briefly)
    for url in found.of("AWS::SQS::Queue"):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        waiting = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
        if waiting:
            yield warning(
                "failures",
                f"{waiting} failed run(s) in {url.rsplit('/', 1)[-1]}",
                "docs/operations.md, FailureQueued: read why, and purge the queue when a run has succeeded since",
            )
        else:
            yield fine("failures", "no failed run is in the queue")
