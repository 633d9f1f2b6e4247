"""Whether all pods of the Deployment are ready, why one is not, and which were evicted or out of memory lately."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes import Kubernetes
from lambda_fn.contract.objects import selector_labels
from lambda_fn.edges.kubernetes_api import workload_of
from lambda_fn.job import diagnosis
from lambda_fn.job.killed_pods import killed_pods

_LOG_LINES = 3
_KILLED_WITHIN = timedelta(days=7)


def run(context: CheckContext) -> Iterator[Finding]:
    """How many pods are ready, the first problem of the newest pod that is not, and pods that were killed."""
    found = context.kubernetes.find_named("Deployment", context.settings.names.workload, api_version="apps/v1")
    if found is None:
        return  # The check `objects` reports it.
    deployment: Deployment = Deployment.from_dict(found)  # type: ignore[assignment]  # lightkube types its base class
    state = workload_of(deployment)
    pods = context.kubernetes.pods(selector_labels(context.settings.names.workload))
    for killed in killed_pods(pods, since=context.now - _KILLED_WITHIN):
        yield warning(killed, "see PodsKilled in docs/operations.md; the message of an eviction names what ran out")
    message = f"{state.ready} of {state.wanted} pods are ready"
    if state.complete:
        yield ok(message)
        return
    report = failed if state.ready == 0 else warning
    yield report(
        f"{message}, and the rollout is not complete: {_reason(context.kubernetes, deployment, pods)}",
        "correct the reason, then run a refresh (docs/operations.md, When a refresh fails)",
    )


def _reason(kubernetes: Kubernetes, deployment: Deployment, pods: Sequence[Pod]) -> str:
    pod = diagnosis.newest_unready(pods)
    problem = diagnosis.pod_problem(pod) if pod else None
    log = kubernetes.log(problem.pod, problem.container, _LOG_LINES) if problem and problem.container else []
    return " ".join(diagnosis.report(diagnosis.deployment_problems(deployment), problem, log).split())


CHECK = Check("pods", Category.CLUSTER, run, needs=("cluster",), runbook="docs/operations.md#nopodready")
