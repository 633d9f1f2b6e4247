"""Whether the cluster has the priority class of the settings."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.preflight.checks import RUNBOOK


def run(context: CheckContext) -> Iterator[Finding]:
    """`proxy.scheduling.priority_class`, without which no pod starts; nothing where it is not set."""
    if not (name := context.settings.proxy.scheduling.priority_class):
        return
    wanted = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
    if context.kubernetes.find(wanted) is None:
        yield failed(
            f"proxy.scheduling.priority_class = {name}: the cluster has no such class, and refuses the pods",
            "create it, or name one of kubectl get priorityclass",
        )
    else:
        yield ok(f"the cluster has the priority class {name}")


CHECK = Check("priority-class", Category.CLUSTER, run, needs=("namespace",), runbook=RUNBOOK)
