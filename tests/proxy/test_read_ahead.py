"""Reading ahead: the next slices of a large blob are in the cache before its reader comes to them."""

import hashlib
import secrets
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.waiting import wait_until
from tests.proxy.client import Client

MIB = 1 << 20
SLICES = 64
AHEAD = 10
"""Slices that the first misses of a reader ask for: its own three, and the first window."""

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture
def digest(control: Control, publisher: Publisher) -> str:
    """A blob of 64 slices that no client has pulled; its bytes tell its slices apart."""
    publisher.blob("team/app", b"so that the repository exists")
    return control.generated_layer(SLICES * MIB - 1000, seed=secrets.randbelow(2**31))


@pytest.fixture
def slices_read_from_s3(control: Control) -> Callable[[], int]:
    mark = control.mark()
    return lambda: control.requests(mark).count("s3.layer")


@pytest.mark.rule("R44")
@pytest.mark.parametrize("begin", [None, 5 * MIB + 3])
def test_every_slice_is_fetched_once_and_the_bytes_are_right(
    client: Client, control: Control, digest: str, begin: int | None
) -> None:
    path = f"/v2/team/app/blobs/{digest}"
    mark = control.mark()
    with control.behaving(Behaviour(s3_bytes_per_second=50_000_000)):
        answer = client.get(path, {"Range": f"bytes={begin}-"} if begin else {})
    size_bytes = SLICES * MIB - 1000
    assert (answer.status, len(answer.body)) == (206 if begin else 200, size_bytes - (begin or 0))
    found = control.requests(mark)
    assert found.count("registry") == 1
    assert found.count("s3.layer") == SLICES - (begin or 0) // MIB
    assert len({entry.headers["range"] for entry in found.of("s3")}) == found.count("s3.layer")
    whole = client.get(path).body
    assert f"sha256:{hashlib.sha256(whole).hexdigest()}" == digest
    assert whole.endswith(answer.body)


@pytest.mark.rule("R44")
@pytest.mark.parametrize("header", [None, f"bytes={MIB}-"])
def test_the_next_slices_are_fetched_in_parallel(
    client: Client, control: Control, digest: str, slices_read_from_s3: Callable[[], int], header: str | None
) -> None:
    """One connection at a time would have asked S3 for one slice a second."""
    began = time.monotonic()
    with (
        control.behaving(Behaviour(s3_delay_seconds=1)),
        closing(client.open("GET", f"/v2/team/app/blobs/{digest}", {"Range": header} if header else {})),
    ):
        wait_until(lambda: slices_read_from_s3() >= AHEAD, "the next slices are fetched", seconds=AHEAD - 2)
    assert time.monotonic() - began < AHEAD - 2


@pytest.mark.rule("R44")
@pytest.mark.parametrize("header", [f"bytes=0-{3 * MIB - 1}", f"bytes={10 * MIB}-{13 * MIB - 1}"])
def test_a_part_of_a_blob_is_not_read_ahead(
    client: Client, digest: str, slices_read_from_s3: Callable[[], int], header: str
) -> None:
    assert client.get(f"/v2/team/app/blobs/{digest}", {"Range": header}).status == 206
    time.sleep(1)
    assert slices_read_from_s3() == 3


@pytest.mark.rule("R44")
def test_a_head_of_a_partly_cached_blob_is_not_read_ahead(
    client: Client, digest: str, slices_read_from_s3: Callable[[], int]
) -> None:
    path = f"/v2/team/app/blobs/{digest}"
    client.get(path, {"Range": f"bytes={5 * MIB}-{5 * MIB}"})
    assert client.head(path).status == 200
    time.sleep(1)
    assert slices_read_from_s3() == 1
