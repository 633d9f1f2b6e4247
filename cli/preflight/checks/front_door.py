"""Whether another stack's front door is in the namespace already."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, warning
from cli.preflight.checks import RUNBOOK
from stacks.stack_name import stack_name


def run(context: CheckContext) -> Iterator[Finding]:
    """A Deployment that a new stack would take over; nothing where the stack is deployed, or you apply the charts."""
    settings, stack = context.settings, context.stack
    if stack.is_deployed or settings.manifests == "external":
        return
    workload, namespace = settings.names.workload, settings.cluster.namespace
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": workload}}
    if context.kubernetes.find(deployment):
        yield warning(
            f"Deployment {workload} is in namespace {namespace}, and stack {stack_name(settings)} is not deployed: "
            "another stack's front door is here, or what a former one left. Two stacks would apply the same objects, "
            "and whichever is removed deletes those of the other",
            "if another stack has it, destroy that one first, or set deployment.stack_name to its name, or "
            "cluster.namespace to another one; what a former stack left is taken over",
        )


CHECK = Check("front-door", Category.CLUSTER, run, needs=("namespace", "stack"), runbook=RUNBOOK)
