"""The requests for the hints and how each answer is understood, over a transport without a network.

`tests/cluster/test_hints.py` proves the same on a real API server, with writers at the same time.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.hints import Hints
from lambda_fn.edges.hint_store import HintStore
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.job.connection import Connection
from lambda_fn.job.gone_images import Stored
from tests.contract.cluster import grant_of, objects_of, settings
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.hints import image
from tests.unit.lambda_fn.test_kubernetes_api import CORE, Api, FakeAccess, status

COLLECTION = f"{CORE}/configmaps"
HINTS = f"{COLLECTION}/aws-registry-proxy-hints"
AT = int(STARTED_AT.timestamp())
NEW = Hints({image(): AT}, {})
LINE = f"{AT} {image()}\n"


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def session(api: Api, certificate_authority: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesSession]:
    """A session over the fake transport, with too little time left to try a request again."""
    transport = httpx2.MockTransport(api.answer)
    monkeypatch.setattr(httpx2, "HTTPTransport", lambda **_: transport)
    connection = Connection("https://kubernetes.test", certificate_authority, "10.96.0.10")
    made = KubernetesSession(grant_of(settings()), connection, FakeAccess(), FakeClock(remaining_seconds=0))
    with closing(made):
        yield made


@pytest.fixture
def store(session: KubernetesSession) -> HintStore:
    """The port of a watcher that follows no deletions."""
    return HintStore(objects_of(settings()), session)


def config_map(version: str, annotations: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata = {"name": "aws-registry-proxy-hints", "resourceVersion": version, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def write(store: HintStore, version: str | None) -> bool:
    return store.write(NEW, version=version, now=STARTED_AT)


def test_hints_are_read_with_their_version_and_the_lines_of_another_format(api: Api, store: HintStore) -> None:
    api.set("GET", HINTS, config_map("7", gone=f"{LINE}nonsense\n"))
    assert store.read() == Stored(NEW, "7", 1)


QUEUE = "arn:aws:sqs:ap-southeast-2:123456789012:front-WatcherDeletionsQueue-B"
FORMER = "arn:aws:sqs:ap-southeast-2:123456789012:front-WatcherDeletionsQueue-A"


@pytest.mark.parametrize("annotations", [None, {"ecr-frontdoor/watcher-queue": FORMER}])
def test_deletions_of_a_former_watcher_are_left_out_and_what_operators_named_is_not(
    api: Api, session: KubernetesSession, annotations: dict[str, str] | None
) -> None:
    other = image(1)
    api.set("GET", HINTS, config_map("7", annotations, gone=f"{LINE}{AT} {other}\n", named=f"{AT} {other}\n"))
    found = HintStore(objects_of(settings()), session, queue=QUEUE).read()
    assert found == Stored(Hints({}, {other: AT}), "7", is_outdated=True)


def test_a_watcher_keeps_its_own_deletions(api: Api, session: KubernetesSession) -> None:
    own = HintStore(objects_of(settings()), session, queue=QUEUE)
    api.set("POST", COLLECTION, config_map("1"))
    api.set("PATCH", HINTS, config_map("2"))
    assert write(own, None)
    for request in api.requests:
        assert json.loads(request.content)["metadata"]["annotations"]["ecr-frontdoor/watcher-queue"] == QUEUE
    api.set("GET", HINTS, config_map("2", {"ecr-frontdoor/watcher-queue": QUEUE}, gone=LINE))
    assert own.read() == Stored(NEW, "2")


def test_without_a_config_map_there_are_no_hints(store: HintStore) -> None:
    assert store.read() == Stored(Hints({}, {}), None)


def test_hints_are_applied_on_the_condition_of_their_version(api: Api, store: HintStore) -> None:
    api.set("PATCH", HINTS, config_map("8"))
    assert write(store, "7")
    (request,) = api.requests
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert dict(request.url.params) == {"fieldManager": "ecr-frontdoor", "force": "true"}
    sent = json.loads(request.content)
    assert sent["metadata"]["resourceVersion"] == "7"
    assert sent["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "ecr-frontdoor"
    assert sent["data"] == {"gone": LINE, "named": ""}


def test_a_config_map_is_created_without_hints_and_then_applied_with_its_version(api: Api, store: HintStore) -> None:
    api.set("POST", COLLECTION, config_map("1"))
    api.set("PATCH", HINTS, config_map("2"))
    assert write(store, None)
    created, applied = (json.loads(request.content) for request in api.requests)
    assert "data" not in created
    assert applied["metadata"]["resourceVersion"] == "1"


@pytest.mark.parametrize(("method", "path", "version"), [("PATCH", HINTS, "7"), ("POST", COLLECTION, None)])
def test_another_writer_who_was_faster_is_an_answer_and_not_tried_again(
    api: Api, store: HintStore, method: str, path: str, version: str | None
) -> None:
    api.set(method, path, status(409, "the object has been modified"))
    assert not write(store, version)
    assert len(api.requests) == 1


@pytest.mark.parametrize("code", [403, 422, 500])
def test_any_other_refusal_is_an_error_that_names_the_object(api: Api, store: HintStore, code: int) -> None:
    api.set("PATCH", HINTS, status(code))
    with pytest.raises(ClusterError, match="patch configmaps aws-registry-proxy-hints"):
        write(store, "7")
