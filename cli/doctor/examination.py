"""Every check in its order, from AWS through the cluster to the door."""

from collections.abc import Callable, Iterator

from cli.doctor import account, cluster, door
from cli.doctor.asking import asked
from cli.doctor.finding import Finding, failure
from cli.doctor.site import Site
from lambda_fn.contract.errors import FrontdoorError

PARTS: tuple[tuple[str, Callable[[Site], Iterator[Finding]]], ...] = (
    ("aws", account.examine),
    ("cluster", cluster.examine),
    ("door", door.examine),
)


def examine(site: Site, begin: Callable[[str], object]) -> Iterator[Finding]:
    """All findings, each as soon as it is known. Nothing is written anywhere.

    Args:
        site: What is examined.
        begin: Told the part that is looked at, before each of its findings.
    """
    for name, part in PARTS:
        begin(name)
        try:
            for finding in asked(name, part(site)):
                yield finding
                begin(name)
        except FrontdoorError as error:
            yield failure(name, str(error), "see what it says; the checks after it in this part were left out")
