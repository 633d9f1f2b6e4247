"""Pods that were evicted or out of memory, as the kubelet describes them."""

from datetime import UTC, datetime
from typing import Any

from lightkube.resources.core_v1 import Pod
from msgspec import convert

from lambda_fn.job.killed_pods import killed_pods

SINCE = datetime(2026, 11, 23, 9, tzinfo=UTC)
BEFORE, AFTER = "2026-11-23T08:59:59Z", "2026-11-23T09:00:00Z"
STARTED = "2026-11-20T00:00:00Z"


def pod(**status: Any) -> Pod:  # noqa: ANN401 - JSON
    return convert({"metadata": {"name": "p"}, "status": {"startTime": STARTED, **status}}, Pod)


def evicted(at: str, **more: Any) -> Pod:  # noqa: ANN401 - JSON
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    conditions = [{**disrupted, "lastTransitionTime": at}]
    message = 'Usage of EmptyDir volume "run" exceeds the limit "64Mi".'
    return pod(phase="Failed", reason="Evicted", message=message, conditions=conditions, **more)


def container(restarts: int = 0, **states: dict[str, Any]) -> dict[str, Any]:
    return {"name": "nginx", "image": "i", "imageID": "i", "ready": False, "restartCount": restarts, **states}


def terminated(at: str, reason: str = "OOMKilled") -> dict[str, Any]:
    return {"terminated": {"exitCode": 137, "reason": reason, "finishedAt": at}}


def test_an_evicted_pod_is_named_with_the_instant_and_the_message_of_the_kubelet() -> None:
    assert killed_pods([evicted(AFTER)], since=SINCE) == (
        'pod p was evicted at 2026-11-23T09:00:00Z: Usage of EmptyDir volume "run" exceeds the limit "64Mi".',
    )


def test_an_eviction_is_dated_by_its_container_where_the_conditions_are_older() -> None:
    assert killed_pods([evicted(BEFORE, containerStatuses=[container(state=terminated(AFTER, "Error"))])], since=SINCE)


def test_a_container_that_ended_at_its_memory_limit_is_named_whether_it_runs_again_or_not() -> None:
    text = "container nginx of pod p was killed at 2026-11-23T09:00:00Z at its memory limit (OOMKilled, {} restarts)"
    again = pod(phase="Running", containerStatuses=[container(1, state={"running": {}}, lastState=terminated(AFTER))])
    waits = pod(phase="Running", containerStatuses=[container(0, state=terminated(AFTER))])
    assert killed_pods([again, waits], since=SINCE) == (text.format(1), text.format(0))


def test_what_happened_before_is_left_out() -> None:
    ended = pod(containerStatuses=[container(lastState=terminated(BEFORE))])
    assert killed_pods([evicted(BEFORE), ended], since=SINCE) == ()


def test_a_pod_that_runs_finishes_or_fails_otherwise_was_not_killed() -> None:
    others = [
        pod(phase="Running", containerStatuses=[container(state={"running": {}})]),
        pod(phase="Succeeded", containerStatuses=[container(state=terminated(AFTER, "Completed"))]),
        pod(phase="Running", containerStatuses=[container(lastState=terminated(AFTER, "Error"))]),
        pod(phase="Failed", reason="NodeShutdown"),
        Pod(),
    ]
    assert killed_pods(others, since=SINCE) == ()
