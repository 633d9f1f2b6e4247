"""The requests for the catalogue's files and how each answer is understood, over a transport without a network.

`tests/cluster/test_catalogue.py` proves the same on a real API server.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.catalogue_store import CatalogueStore
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.job.catalogue.ports import Stored
from lambda_fn.job.connection import Connection
from tests.contract.cluster import grant_of, objects_of, settings
from tests.fakes.clock import FakeClock
from tests.unit.lambda_fn.test_kubernetes_api import CORE, Api, FakeAccess, status

COLLECTION = f"{CORE}/configmaps"
SHARD = f"{COLLECTION}/aws-registry-proxy-catalogue-03"


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def store(api: Api, certificate_authority: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CatalogueStore]:
    """The port over the fake transport, with too little time left to try a request again."""
    transport = httpx2.MockTransport(api.answer)
    monkeypatch.setattr(httpx2, "HTTPTransport", lambda **_: transport)
    connection = Connection("https://kubernetes.test", certificate_authority, "10.96.0.10")
    session = KubernetesSession(grant_of(settings()), connection, FakeAccess(), FakeClock(remaining_seconds=0))
    with closing(session):
        yield CatalogueStore(objects_of(settings()), session)


def config_map(version: str, **data: bytes) -> dict[str, Any]:
    metadata = {"name": "aws-registry-proxy-catalogue-03", "resourceVersion": version}
    encoded = {file: base64.b64encode(content).decode() for file, content in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": encoded}


def test_a_file_is_read_with_its_version(api: Api, store: CatalogueStore) -> None:
    api.set("GET", SHARD, config_map("7", **{"03.json.gz": b"\x1f\x8b"}))
    assert store.read("03.json.gz") == Stored(b"\x1f\x8b", "7")


def test_without_a_config_map_or_its_key_there_is_no_content(api: Api, store: CatalogueStore) -> None:
    assert store.read("03.json.gz") == Stored(None, None)
    api.set("GET", SHARD, config_map("7", other=b"x"))
    assert store.read("03.json.gz") == Stored(None, "7")


def test_a_file_is_applied_on_the_condition_of_its_version(api: Api, store: CatalogueStore) -> None:
    api.set("PATCH", SHARD, config_map("8"))
    assert store.write("03.json.gz", b"\x1f\x8b", version="7")
    (request,) = api.requests
    assert dict(request.url.params) == {"fieldManager": "ecr-frontdoor", "force": "true"}
    sent = json.loads(request.content)
    assert sent["metadata"]["resourceVersion"] == "7"
    assert sent["binaryData"] == {"03.json.gz": base64.b64encode(b"\x1f\x8b").decode()}


@pytest.mark.parametrize(("method", "path", "version"), [("PATCH", SHARD, "7"), ("POST", COLLECTION, None)])
def test_another_writer_who_was_faster_is_an_answer(
    api: Api, store: CatalogueStore, method: str, path: str, version: str | None
) -> None:
    api.set(method, path, status(409, "the object has been modified"))
    assert not store.write("03.json.gz", b"x", version=version)
    assert len(api.requests) == 1


def test_any_other_refusal_is_an_error_that_names_the_object(api: Api, store: CatalogueStore) -> None:
    api.set("PATCH", SHARD, status(403))
    with pytest.raises(ClusterError, match="patch configmaps aws-registry-proxy-catalogue-03"):
        store.write("03.json.gz", b"x", version="7")
