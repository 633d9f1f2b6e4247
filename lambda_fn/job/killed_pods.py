"""Pods that the kubelet ended for what they or their node used: evicted or out of memory. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from lightkube.models.core_v1 import ContainerStateTerminated
from lightkube.resources.core_v1 import Pod

from lambda_fn.contract.times import instant_text
from lambda_fn.job.redact import excerpt

_EVICTED = "Evicted"
_OUT_OF_MEMORY = "OOMKilled"


def killed_pods(pods: Iterable[Pod], *, since: datetime) -> tuple[str, ...]:
    """One text for each eviction, and for each container that the kernel ended at its memory limit.

    A pod that was evicted stays in the API with its message until it is deleted, while its ReplicaSet replaces it. A
    container that was ended is started again in the same pod, which says no more than how its last run ended. What
    drains a node deletes pods, so it does not appear here.
    https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/

    Args:
        pods: All pods of the proxy, ended ones included.
        since: Earlier events are left out.
    """
    return tuple(text for pod in pods for at, text in _events(pod) if at and at >= since)


def _events(pod: Pod) -> Iterator[tuple[datetime | None, str]]:
    name, status = (pod.metadata and pod.metadata.name) or "?", pod.status
    if status is None:
        return
    if status.reason == _EVICTED:
        at = _evicted_at(pod)
        yield at, f"pod {name} was evicted{_at(at)}: {excerpt(status.message or 'no message')}"
    for container in status.containerStatuses or []:
        for state in (container.state, container.lastState):
            ended = state.terminated if state else None
            if ended and ended.reason == _OUT_OF_MEMORY:
                text = f"container {container.name} of pod {name} was killed{_at(ended.finishedAt)} at its memory limit"
                yield ended.finishedAt, f"{text} ({_OUT_OF_MEMORY}, {container.restartCount} restarts)"


def _evicted_at(pod: Pod) -> datetime | None:
    """The latest instant in the status: the kubelet writes no instant of the eviction itself."""
    status = pod.status
    if status is None:
        return None
    ended: list[ContainerStateTerminated | None] = [
        container.state.terminated if container.state else None for container in status.containerStatuses or []
    ]
    instants = [
        status.startTime,
        *(condition.lastTransitionTime for condition in status.conditions or []),
        *(one.finishedAt for one in ended if one),
    ]
    return max((at for at in instants if at), default=None)


def _at(instant: datetime | None) -> str:
    return f" at {instant_text(instant)}" if instant else ""
