"""Why pods do not become ready, from what the API says about them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lightkube.models.core_v1 import ContainerState, ContainerStatus
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod

from lambda_fn.job.redact import excerpt

LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first thing that keeps a pod from being ready.

    Attributes:
        pod: The pod's name.
        container: The container to look at; None when none has come to life.
        reason: What Kubernetes says about it.
    """

    pod: str
    container: str | None
    reason: str


def newest_unready(pods: Iterable[Pod]) -> Pod | None:
    """The newest pod that is neither ready nor being deleted: after a change, that is one of the new ones."""
    unready = [pod for pod in pods if pod.metadata and not pod.metadata.deletionTimestamp and not _is_ready(pod)]
    return max(unready, key=lambda pod: str(pod.metadata.creationTimestamp if pod.metadata else ""), default=None)


def trouble(pod: Pod) -> Trouble:
    """What keeps `pod` from being ready."""
    name = (pod.metadata and pod.metadata.name) or "?"
    status = pod.status
    statuses = [] if status is None else [*(status.initContainerStatuses or []), *(status.containerStatuses or [])]
    for container in statuses:
        if reason := _reason(container):
            return Trouble(name, container.name, reason)
    conditions = [] if status is None else status.conditions or []
    told = [f"{c.reason}: {c.message}" for c in conditions if c.status == "False" and c.message]
    return Trouble(name, None, excerpt("; ".join(told) or f"phase {status.phase if status else 'unknown'}"))


def deployment_troubles(deployment: Deployment) -> list[str]:
    """What the Deployment itself says is wrong: pods that cannot even be created, or a paused rollout."""
    conditions = (deployment.status.conditions if deployment.status else None) or []
    bad = {("ReplicaFailure", "True"), ("Progressing", "False")}
    told = [excerpt(f"{c.reason}: {c.message}") for c in conditions if (c.type, c.status) in bad]
    if deployment.spec and deployment.spec.paused:
        told.append("the Deployment is paused: kubectl rollout resume")
    return told


def report(troubles: Sequence[str], pod_trouble: Trouble | None, log: Sequence[str]) -> str:
    """One text of all that is known, the log's last lines indented below."""
    lines = list(troubles)
    if pod_trouble:
        container = f", container {pod_trouble.container}" if pod_trouble.container else ""
        lines.append(f"pod {pod_trouble.pod}{container}: {pod_trouble.reason}")
    if log:
        lines.append("its last lines:")
        lines.extend(f"  {excerpt(line)}" for line in log[-LOG_LINES:])
    return "\n".join(lines) or "No pod of the Deployment is unready; its controller may be slow or stopped."


def _is_ready(pod: Pod) -> bool:
    conditions = (pod.status.conditions if pod.status else None) or []
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


def _reason(container: ContainerStatus) -> str | None:
    """What is wrong with a container; None when nothing is, or it was not its turn yet."""
    state = container.state or ContainerState()
    if state.terminated:
        if state.terminated.exitCode == 0:
            return None
        return excerpt(f"{state.terminated.reason}, exit code {state.terminated.exitCode}")
    if state.waiting:
        if state.waiting.reason == "PodInitializing":
            return None
        last = container.lastState.terminated if container.lastState else None
        ended = f" (exit code {last.exitCode}, {container.restartCount} restarts)" if last else ""
        return excerpt(f"{state.waiting.reason}{ended}: {state.waiting.message or 'no message'}")
    if state.running and not container.ready and container.started is False:
        return "runs, but its start-up probe fails"
    return None if container.ready or not state.running else "runs, but its readiness probe fails"
