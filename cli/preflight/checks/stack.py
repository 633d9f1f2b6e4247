"""Whether the stack's state allows a deployment."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.checks.stack import status_finding
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok
from stacks.stack_name import stack_name

_RIGHTS = {
    "kubectl": "its kubectl becomes administrator of the cluster",
    "namespaced": "its kubectl gets rights to the objects of the namespace, which an administrator applies first: "
    "frontdoor manifests --access",
    "external": "you apply the charts: frontdoor manifests",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """A new stack with what it brings along, or the state of the one that is there."""
    settings = context.settings
    name = stack_name(settings)
    if (status := context.stack.status) is not None:
        yield status_finding(name, status)
        return
    place, rights = settings.cluster.namespace, _RIGHTS[settings.manifests]
    where = f"in {len(settings.cluster.subnet_ids)} subnets" if settings.cluster.subnet_ids else "outside of the VPC"
    yield ok(
        f"a deployment makes stack {name} in {settings.cluster.region}: a Lambda {where}, its schedules and alarms, "
        f"and {settings.proxy.replicas} proxy pods in namespace {place}; {rights}"
    )


CHECK = Check("stack", Category.AWS, run, needs=("aws",), runbook="docs/operations.md#when-a-deployment-fails")
