"""Why pods do not become ready, from what the API says about them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lightkube.models.core_v1 import ContainerState, ContainerStatus
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod

from lambda_fn.job.reason import QUOTE
from lambda_fn.job.redact import excerpt

LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """The first problem that keeps a pod from being ready.

    Attributes:
        pod: The pod's name.
        container: The container to look at; None when none has started.
        reason: What Kubernetes reports about it.
    """

    pod: str
    container: str | None
    reason: str


def newest_unready(pods: Iterable[Pod]) -> Pod | None:
    """The newest pod that is neither ready, finished nor being deleted: after a change, that is one of the new ones.

    A pod that failed, such as an evicted one, is replaced by its ReplicaSet: it is named where no other is unready.
    """
    unready = [pod for pod in pods if pod.metadata and not pod.metadata.deletionTimestamp and not _is_ready(pod)]
    waiting = [pod for pod in unready if _phase(pod) != "Succeeded"]
    return max(waiting, key=lambda pod: (_phase(pod) != "Failed", _created_at(pod)), default=None)


def pod_problem(pod: Pod) -> Problem:
    """The problem that keeps `pod` from being ready."""
    name = (pod.metadata and pod.metadata.name) or "?"
    status = pod.status
    if status and status.phase == "Failed" and status.reason:
        return Problem(name, None, excerpt(f"{status.reason}: {status.message or 'no message'}"))
    statuses = [] if status is None else [*(status.initContainerStatuses or []), *(status.containerStatuses or [])]
    for container in statuses:
        if reason := _reason(container):
            return Problem(name, container.name, reason)
    conditions = [] if status is None else status.conditions or []
    messages = [f"{c.reason}: {c.message}" for c in conditions if c.status == "False" and c.message]
    return Problem(name, None, excerpt("; ".join(messages) or f"phase {status.phase if status else 'unknown'}"))


def deployment_problems(deployment: Deployment) -> list[str]:
    """The problems that the Deployment itself reports: pods that cannot even be created, or a paused rollout."""
    conditions = (deployment.status.conditions if deployment.status else None) or []
    bad = {("ReplicaFailure", "True"), ("Progressing", "False")}
    messages = [excerpt(f"{c.reason}: {c.message}") for c in conditions if (c.type, c.status) in bad]
    if deployment.spec and deployment.spec.paused:
        messages.append("the Deployment is paused: kubectl rollout resume")
    return messages


def report(problems: Sequence[str], of_pod: Problem | None, log: Sequence[str]) -> str:
    """One text of all that is known: the cause in the first line, the log's last lines indented below."""
    # The pod first: what the Deployment reports is often no more than that time is over.
    lines = []
    if of_pod:
        container = f", container {of_pod.container}" if of_pod.container else ""
        lines.append(f"pod {of_pod.pod}{container}: {of_pod.reason}")
    lines.extend(problems)
    if log:
        lines.append("its last lines:")
        lines.extend(f"{QUOTE}{excerpt(line)}" for line in log[-LOG_LINES:])
    return "\n".join(lines) or "no pod of the Deployment is unready; its controller may be slow or stopped"


def _phase(pod: Pod) -> str:
    return (pod.status and pod.status.phase) or ""


def _created_at(pod: Pod) -> str:
    return str(pod.metadata.creationTimestamp if pod.metadata else "")


def _is_ready(pod: Pod) -> bool:
    conditions = (pod.status.conditions if pod.status else None) or []
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


def _reason(container: ContainerStatus) -> str | None:
    """What is wrong with a container; None when nothing is, or when it has not started yet."""
    state = container.state or ContainerState()
    if state.terminated:
        if state.terminated.exitCode == 0:
            return None
        return excerpt(f"{state.terminated.reason}, exit code {state.terminated.exitCode}")
    if state.waiting:
        if state.waiting.reason == "PodInitializing":
            return None
        last = container.lastState.terminated if container.lastState else None
        ended = f" ({last.reason}, exit code {last.exitCode}, {container.restartCount} restarts)" if last else ""
        return excerpt(f"{state.waiting.reason}{ended}: {state.waiting.message or 'no message'}")
    if state.running and not container.ready and container.started is False:
        return "runs, but its start-up probe fails"
    return None if container.ready or not state.running else "runs, but its readiness probe fails"
