"""What the deployment made in AWS, part by part."""

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor import access, alarms, endpoints, failures, function, load_balancer, rights, schedules, stack
from cli.doctor.asking import asked, said
from cli.doctor.finding import Finding, failure, fine
from cli.doctor.site import Site
from cli.doctor.stack import Resources
from stacks.stack_name import stack_name

PARTS: tuple[tuple[str, Callable[[Site, Resources], Iterator[Finding]]], ...] = (
    ("function", function.examine),
    ("iam", rights.examine),
    ("access entry", access.examine),
    ("schedule", schedules.examine),
    ("failures", failures.examine),
    ("alarms", alarms.examine),
    ("load balancer", load_balancer.examine),
    ("endpoints", endpoints.examine),
)


def examine(site: Site) -> Iterator[Finding]:
    """Who asks, then what the stack holds. The other parts do not depend on it."""
    try:
        caller = site.aws.client("sts", config=site.briefly).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield failure("aws", f"AWS does not know you: {said(error)}", "log in, or name a profile: --profile NAME")
        return
    yield fine("aws", f"you are {caller['Arn']}")
    name, region = stack_name(site.settings), site.settings.cluster.region
    found = stack.resources(site)
    if found is None:
        yield failure(
            "stack",
            f"there is no stack {name} in {region} of account {caller['Account']}",
            "deploy (README, Deploy it), or give the right --config or --profile",
        )
        return
    yield stack.status(name, region, found)
    for check, part in PARTS:
        yield from asked(check, part(site, found))
