"""The layer server in S3's place: rows G of testbed/docs/ecr-double.md."""

import hashlib
import time
from collections.abc import Iterator

import httpx2
import pytest

from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.layer_server.server import Counts, LayerServer, serving
from testbed.sandbox.world import World
from testbed.tests.ecr_double.layers import located

MIB = 1 << 20
LAYER = Generated(3 * MIB + 5, seed=7)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[LayerServer]:
    with serving(world) as made:
        yield made


@pytest.fixture(scope="module")
def digest(double: Control, server: LayerServer) -> str:
    return server.publish(double, LAYER.size_bytes, LAYER.seed)


@pytest.fixture
def redirect(ecr: httpx2.Client, publisher: Publisher, repository: str, digest: str) -> str:
    publisher.blob(repository, b"so that the repository exists")
    return located(ecr, repository, digest)


@pytest.mark.row("G1")
def test_the_whole_layer_has_its_digest(client: httpx2.Client, redirect: str, digest: str) -> None:
    answer = client.get(redirect)
    assert (answer.status_code, f"sha256:{hashlib.sha256(answer.content).hexdigest()}") == (200, digest)


@pytest.mark.row("G2")
def test_a_range_across_two_pages_has_the_second_page_s_number(client: httpx2.Client, redirect: str) -> None:
    answer = client.get(redirect, headers={"Range": f"bytes={MIB - 6}-{MIB + 13}"})
    assert (answer.status_code, answer.content) == (206, LAYER.part(MIB - 6, MIB + 14))
    assert answer.headers["Content-Range"] == f"bytes {MIB - 6}-{MIB + 13}/{LAYER.size_bytes}"


@pytest.mark.row("G3")
def test_bytes_requests_and_connections_are_counted(client: httpx2.Client, redirect: str, server: LayerServer) -> None:
    before = server.counts()
    for _ in range(2):
        client.get(redirect, headers={"Range": "bytes=0-99"})
    assert server.counts() - before == Counts(bytes=200, requests=2, connections=1)


@pytest.mark.row("G3")
def test_what_is_sent_of_a_layer_is_counted_for_it_alone(
    client: httpx2.Client, redirect: str, server: LayerServer, double: Control, digest: str
) -> None:
    other = server.publish(double, MIB, seed=8)
    before = server.counts(digest)
    client.get(redirect, headers={"Range": "bytes=0-99"})
    assert server.counts(digest) - before == Counts(bytes=100, requests=1, connections=0)
    assert server.counts(other) == Counts(bytes=0, requests=0, connections=0)


@pytest.mark.row("G4")
def test_a_connection_keeps_its_rate(client: httpx2.Client, redirect: str, server: LayerServer) -> None:
    server.set_rate(10 * MIB)
    began = time.monotonic()
    client.get(redirect)
    took = time.monotonic() - began
    server.set_rate(0)
    assert 0.2 < took < 1, f"3 MiB at 10 MiB/s took {took} s"


@pytest.mark.row("G5")
def test_a_layer_that_was_not_published_is_not_found(client: httpx2.Client, redirect: str, digest: str) -> None:
    assert client.get(redirect.replace(digest.removeprefix("sha256:"), "0" * 64)).status_code == 404
