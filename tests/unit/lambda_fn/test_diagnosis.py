"""Why a pod is not ready, from what the API gives."""

from typing import Any

import pytest
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod
from msgspec import convert

from lambda_fn.job.diagnosis import LOG_LINES, Problem, deployment_problems, newest_unready, pod_problem, report


def pod(name: str = "p", *, created: int = 1, ready: bool = False, deleted: bool = False, **status: Any) -> Pod:  # noqa: ANN401
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": f"2026-11-23T09:00:0{created}Z"}
    if deleted:
        metadata["deletionTimestamp"] = "2026-11-23T09:10:00Z"
    conditions = [{"type": "Ready", "status": str(ready)}, *status.pop("conditions", [])]
    return convert({"metadata": metadata, "status": {"phase": "Pending", "conditions": conditions, **status}}, Pod)


def container(name: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "state": state, "image": "i", "imageID": "i", "ready": False, "restartCount": 0, **more}


def test_the_newest_unready_pod_is_looked_at() -> None:
    pods = [
        pod("old", created=1),
        pod("new", created=3),
        pod("newer but ready", created=4, ready=True),
        pod("newest but going", created=5, deleted=True),
    ]
    found = newest_unready(pods)
    assert found is not None
    assert found.metadata is not None
    assert found.metadata.name == "new"


def test_a_finished_pod_is_not_the_trouble() -> None:
    assert newest_unready([pod("done", created=3, phase="Succeeded")]) is None
    for phase in ("Succeeded", "Failed"):
        found = newest_unready([pod("ended", created=3, phase=phase), pod("waiting", created=1)])
        assert found is not None
        assert found.metadata is not None
        assert found.metadata.name == "waiting"


def test_a_pod_that_failed_is_named_with_its_reason_where_no_other_is_unready() -> None:
    evicted = pod("evicted", phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    found = newest_unready([evicted, pod("ready", created=3, ready=True)])
    assert found is not None
    assert pod_problem(found) == Problem("evicted", None, "Evicted: The node was low on resource: memory.")


def test_ready_pods_are_not_a_problem() -> None:
    assert newest_unready([pod(ready=True)]) is None


WAITING = {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {
                "initContainerStatuses": [
                    container(
                        "check-configuration",
                        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}},
                        lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                        restartCount=3,
                    )
                ],
                "containerStatuses": [container("nginx", WAITING)],
            },
            ("check-configuration", "CrashLoopBackOff (OOMKilled, exit code 137, 3 restarts): back-off 40s restarting"),
        ),
        (
            {
                "initContainerStatuses": [
                    container("check-configuration", {"terminated": {"exitCode": 1, "reason": "Error"}})
                ]
            },
            ("check-configuration", "Error, exit code 1"),
        ),
        (
            {
                "initContainerStatuses": [
                    container("check-configuration", {"terminated": {"exitCode": 0, "reason": "Completed"}})
                ],
                "containerStatuses": [
                    container("nginx", {"waiting": {"reason": "ImagePullBackOff", "message": "403"}})
                ],
            },
            ("nginx", "ImagePullBackOff: 403"),
        ),
        (
            {"containerStatuses": [container("nginx", {"running": {}}, started=False)]},
            ("nginx", "runs, but its start-up probe fails"),
        ),
        (
            {"containerStatuses": [container("nginx", {"running": {}}, started=True)]},
            ("nginx", "runs, but its readiness probe fails"),
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
                ]
            },
            (None, "Unschedulable: 0/3 nodes"),
        ),
        ({}, (None, "phase Pending")),
    ],
)
def test_the_first_thing_that_keeps_a_pod_from_being_ready_is_named(
    status: dict[str, Any], expected: tuple[str | None, str]
) -> None:
    assert pod_problem(pod("proxy-x", **status)) == Problem("proxy-x", *expected)


def test_a_deployment_that_cannot_create_pods_or_is_paused_says_so() -> None:
    deployment = convert(
        {
            "spec": {"paused": True, "selector": {}, "template": {}},
            "status": {
                "conditions": [
                    {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"},
                    {
                        "type": "Progressing",
                        "status": "False",
                        "reason": "ProgressDeadlineExceeded",
                        "message": "timed out",
                    },
                    {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "fine"},
                ]
            },
        },
        Deployment,
    )
    assert deployment_problems(deployment) == [
        "FailedCreate: exceeded quota",
        "ProgressDeadlineExceeded: timed out",
        "the Deployment is paused: kubectl rollout resume",
    ]


def test_the_report_begins_with_the_pod_and_quotes_its_last_lines_without_credentials() -> None:
    log = [f"line {number}" for number in range(30)] + ["Authorization: Basic QVdTOmh1bnRlcg=="]
    lines = report(["exceeded quota"], Problem("proxy-x", "nginx", "Error, exit code 1"), log).splitlines()
    assert lines[:3] == ["pod proxy-x, container nginx: Error, exit code 1", "exceeded quota", "its last lines:"]
    assert len(lines) == 3 + LOG_LINES
    assert lines[-2:] == ["  line 29", "  Authorization: Basic ***"]


def test_without_an_unready_pod_the_report_names_the_controller() -> None:
    assert report([], None, []) == "no pod of the Deployment is unready; its controller may be slow or stopped"
