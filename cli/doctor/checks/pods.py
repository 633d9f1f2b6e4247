"""Whether all pods of the Deployment are ready, and why one is not."""

from collections.abc import Iterator

from lightkube.resources.apps_v1 import Deployment

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes import Kubernetes
from lambda_fn.edges.kubernetes_api import workload_of
from lambda_fn.job import diagnosis

_LOG_LINES = 3


def run(context: CheckContext) -> Iterator[Finding]:
    """How many pods are ready, and the first problem of the newest pod that is not."""
    found = context.kubernetes.find_named("Deployment", context.settings.names.workload, api_version="apps/v1")
    if found is None:
        return  # The check `objects` reports it.
    deployment: Deployment = Deployment.from_dict(found)  # type: ignore[assignment]  # lightkube types its base class
    state = workload_of(deployment)
    message = f"{state.ready} of {state.wanted} pods are ready"
    if state.complete:
        yield ok(message)
        return
    report = failed if state.ready == 0 else warning
    yield report(
        f"{message}, and the rollout is not complete: {_reason(context.kubernetes, deployment)}",
        "correct the reason, then run a refresh (docs/operations.md, When a refresh fails)",
    )


def _reason(kubernetes: Kubernetes, deployment: Deployment) -> str:
    labels = (deployment.spec.selector.matchLabels if deployment.spec else None) or {}
    pod = diagnosis.newest_unready(kubernetes.pods({**labels}))
    problem = diagnosis.pod_problem(pod) if pod else None
    log = kubernetes.log(problem.pod, problem.container, _LOG_LINES) if problem and problem.container else []
    return " ".join(diagnosis.report(diagnosis.deployment_problems(deployment), problem, log).split())


CHECK = Check("pods", Category.CLUSTER, run, needs=("cluster",))
