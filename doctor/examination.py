"""Every check in its order, from AWS through the cluster to the door."""

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from doctor import account, cluster, door
from doctor.finding import Finding, failure, warning
from doctor.site import Site
from lambda_fn.errors import FrontdoorError

PARTS: tuple[tuple[str, Callable[[Site], Iterator[Finding]]], ...] = (
    ("aws", account.examine),
    ("cluster", cluster.examine),
    ("door", door.examine),
)


def examine(site: Site) -> Iterator[Finding]:
    """All findings, each as soon as it is known. Nothing is written anywhere."""
    for name, part in PARTS:
        try:
            yield from part(site)
        except FrontdoorError as error:
            yield failure(name, str(error), "see what it says; the checks after it in this part were left out")
        except (BotoCoreError, ClientError) as error:
            yield warning(
                name,
                f"AWS cannot be asked: {error}",
                "let your own AWS identity read this; the checks after it in this part were left out",
            )
