"""Reading ahead ends when its reader leaves: little is fetched for nothing, and other readers go on."""

import hashlib
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import Client

MIB = 1 << 20
HTTP, HTTPS = "http://127.0.0.1:8080", "https://127.0.0.1:8443"
SMALL, LARGE = 48 * MIB - 1000, 400 * MIB - 1000
"""Below and above 200 MB, from where a blob is sent in pieces. The small one has as many slices
as 200 MB have by default.
"""
IN_A_LARGE_WINDOW = 60
"""So many slices are read from S3 near the beginning of a window of 64, after those of 8, 16 and 32."""
AT_MOST = 12 + 8
"""Slices that are fetched for a client that has left: as many as are in flight, and eight."""
PACED = Behaviour(s3_bytes_per_second=50_000_000 // 4)
"""A slice takes as long as one of 4 MiB does at 50 MB/s."""

Count = Callable[[], int]


@pytest.fixture(scope="module")
def exposure() -> str:
    return 'kind = "pod"\ntls_secret = "registry-tls"'


@pytest.fixture
def proxy(pod: Pod, world: World, control: Control) -> Iterator[Pod]:
    """A pod that serves TLS, with a paced S3."""
    pair = world.pair("domain")
    pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    pod.start()
    with control.behaving(PACED):
        yield pod


@pytest.fixture
def publish(proxy: Pod, control: Control, publisher: Publisher) -> Callable[[int], str]:  # noqa: ARG001
    """Publishes a blob of that size, which no client has pulled; returns its path."""
    publisher.blob("team/app", b"so that the repository exists")
    return lambda size: f"/v2/team/app/blobs/{control.generated_layer(size, secrets.randbelow(2**31))}"


@pytest.fixture
def slices(control: Control) -> Count:
    """How many slices have been read from S3."""
    mark = control.mark()
    return lambda: control.requests(mark).count("s3.layer")


@contextmanager
def pulling(url: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A client that pulls, and is killed at the end."""
    command = ["curl", "--silent", "--insecure", "--output", "/dev/null", *options, url]
    with subprocess.Popen(command) as process:  # noqa: S603 - a constant program
        yield process
        process.kill()


def settled(count: Count) -> int:
    """The count when it has not changed for two seconds."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < 2:
        time.sleep(0.1)
        if (now := count()) != last:
            last, since = now, time.monotonic()
    return last


@pytest.mark.rule("R44")
@pytest.mark.parametrize(
    ("origin", "option", "size_bytes", "begun"),
    [
        (HTTP, "--http1.1", SMALL, 1),
        (HTTP, "--http1.1", SMALL, 10),
        (HTTP, "--http1.1", LARGE, 1),
        (HTTP, "--http1.1", LARGE, IN_A_LARGE_WINDOW),
        (HTTPS, "--http1.1", LARGE, IN_A_LARGE_WINDOW),
        (HTTPS, "--http2", SMALL, 10),
        (HTTPS, "--http2", LARGE, IN_A_LARGE_WINDOW),
    ],
)
def test_little_is_fetched_for_a_client_that_has_left(
    publish: Callable[[int], str], slices: Count, origin: str, option: str, size_bytes: int, begun: int
) -> None:
    with pulling(origin + publish(size_bytes), option) as client:
        wait_until(lambda: slices() >= begun, "the client pulls", pause_seconds=0.005)
        client.kill()
        at_the_end = slices()
    total = settled(slices)
    assert total - at_the_end <= AT_MOST


@pytest.mark.rule("R44", "R17")
@pytest.mark.parametrize("first_leaves", [True, False])
def test_another_reader_of_the_blob_continues(
    client: Client, control: Control, publish: Callable[[int], str], slices: Count, *, first_leaves: bool
) -> None:
    path = publish(LARGE)
    mark = control.mark()
    with pulling(HTTP + path) as first, pulling(HTTP + path) as second:
        wait_until(lambda: slices() >= IN_A_LARGE_WINDOW, "both pull", pause_seconds=0.005)
        (first if first_leaves else second).kill()
        assert (second if first_leaves else first).wait(30) == 0
    found = control.requests(mark)
    assert found.count("registry") == 1
    assert found.sent_bytes("s3") < LARGE + 5 * MIB, "the first slice is asked for twice"
    assert path.endswith(hashlib.sha256(client.get(path).body).hexdigest())
