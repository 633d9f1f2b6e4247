"""The logs of pods: all of them, by time, and from when on each covers what was asked for."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from cli.doctor.kubernetes_errors import RequestRefusedError
from cli.usage.pod_logs import PodLogs
from tests.unit.doctor.test_kubernetes import kubernetes
from tests.unit.usage.lines import NOON, Front


def instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S") + ".123456789Z"


def pod(name: str, started: float) -> dict[str, Any]:
    state = {"running": {"startedAt": instant(started)[:19] + "Z"}}
    status = {"name": "nginx", "state": state, "image": "i", "imageID": "i", "ready": True, "restartCount": 0}
    return {"metadata": {"name": name}, "status": {"containerStatuses": [status]}}


def logs(pods: Mapping[str, tuple[float, httpx2.Response]], since: float) -> PodLogs:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/pods"):
            assert "labelSelector" in request.url.params
            return httpx2.Response(200, json={"items": [pod(name, started) for name, (started, _) in pods.items()]})
        assert dict(request.url.params) == {"container": "nginx", "timestamps": "true", "follow": "false"}
        return pods[request.url.path.split("/")[-2]][1]

    return PodLogs(kubernetes(answer), "aws-registry-proxy", since)


def written(front: Front, *others: str) -> httpx2.Response:
    lines = [f"{instant(record['ended_at'])} {line}" for record, line in zip(front.records, front.lines(), strict=True)]
    return httpx2.Response(200, text="".join([*others, *lines]))


def test_the_records_of_every_pod_are_read() -> None:
    error = f"{instant(NOON - 7200)} 2026/11/27 10:00:00 [warn] 7#7: about nginx\n"
    read = logs(
        {
            "one": (NOON - 9000, written(Front().tag("GET", "1", "a"), error)),
            "two": (NOON - 9000, written(Front().tag("GET", "2", "b"), error)),
        },
        since=NOON - 3600,
    )
    with closing(read):
        assert [[record["tag"] for record in found] for found in read.records()] == [["1"], ["2"]]
    assert [(source.name, source.note) for source in read.sources] == [("one", ""), ("two", "")]
    assert read.sources[0].begins_at == pytest.approx(NOON - 7200, abs=1)


@pytest.mark.parametrize("character", "\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
def test_a_client_cannot_begin_a_line_of_the_log(character: str) -> None:
    forged = written(Front().tag("GET", "forged", "b")).text
    error = f'{instant(NOON - 7200)} 2026/11/27 10:00:00 [error] 7#7: *1 failed, referrer: "{character}{forged}'
    read = logs({"one": (NOON - 9000, written(Front().tag("GET", "1", "a"), error))}, since=NOON - 3600)
    with closing(read):
        assert [[record["tag"] for record in found] for found in read.records()] == [["1"]]


@pytest.mark.parametrize(
    ("started", "begins", "words"),
    [
        (NOON - 90_000, NOON - 7200, ""),
        (NOON - 90_000, NOON - 60, "10 MiB"),
        (NOON - 60, NOON - 50, "pods that are gone"),
    ],
)
def test_a_log_that_begins_later_than_asked_is_noted_with_the_reason(started: float, begins: float, words: str) -> None:
    read = logs({"one": (started, written(Front(at=begins).tag("GET", "1", "a")))}, since=NOON - 3600)
    with closing(read):
        (source,) = read.sources
    assert words in source.note
    assert bool(words) == bool(source.note)


def test_a_pod_without_lines_and_one_that_cannot_be_read_are_noted() -> None:
    refused = httpx2.Response(400, json={"kind": "Status", "code": 400, "message": "container is waiting to start"})
    gone = httpx2.Response(404, json={"kind": "Status", "code": 404, "message": "no such pod"})
    pods = {"empty": (NOON, httpx2.Response(200, text="")), "waiting": (NOON, refused), "gone": (NOON, gone)}
    read = logs(pods, since=NOON)
    with closing(read):
        assert [source.begins_at for source in read.sources] == [None, None, None]
        notes = {source.name: source.note for source in read.sources}
    assert notes["empty"] == notes["gone"] == "its log is empty"
    assert "waiting to start" in notes["waiting"]


# https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/kubelet/kubelet_pods.go sends it with status 200.
GONE = "unable to retrieve container logs for containerd://" + "0" * 64


@pytest.mark.parametrize("text", [GONE, f"{GONE}\n", "\n", "0001-01-01T00:00:00 x", "99999-01-01T00:00:00Z x"])
def test_a_log_that_the_kubelet_cannot_read_is_noted_and_the_others_are_read(text: str) -> None:
    pods = {
        "broken": (NOON - 9000, httpx2.Response(200, text=text)),
        "two": (NOON - 9000, written(Front(at=NOON - 7200).tag("GET", "2", "b"))),
    }
    with closing(logs(pods, since=NOON - 3600)) as read:
        assert [[record["tag"] for record in found] for found in read.records()] == [[], ["2"]]
        broken, two = read.sources
    assert (broken.begins_at, two.note) == (None, "")
    assert broken.note.startswith(f"not read: {text.strip()}. Fix: try again")


def test_lines_beside_one_without_a_time_are_read() -> None:
    front = Front(at=NOON - 7200).tag("GET", "1", "a").tag("GET", "2", "b")
    first, second = written(front).text.splitlines(keepends=True)
    response = httpx2.Response(200, text=f"{first}{GONE}\n{second}")
    with closing(logs({"one": (NOON - 9000, response)}, since=NOON - 3600)) as read:
        assert [[record["tag"] for record in found] for found in read.records()] == [["1", "2"]]
        assert GONE in read.sources[0].note


def test_pods_that_may_not_be_listed_are_an_error() -> None:
    refused = {"kind": "Status", "code": 403, "message": json.dumps("pods is forbidden")}
    with pytest.raises(RequestRefusedError, match="you may not list pods"):
        PodLogs(kubernetes(lambda _: httpx2.Response(403, json=refused)), "aws-registry-proxy", NOON)
