"""Large blobs are sent in pieces: nginx holds what it has opened and allocated until a request ends."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from testbed.bench.usage import tree
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.soak import cached_files
from testbed.waiting import wait_until
from tests.proxy.client import Client
from tests.proxy.memory import anonymous_kib

MIB = 1 << 20
SLICES = 256
PIECE_SLICES = 64
UNREAD = 10
AHEAD = 12
"""Slices that the first misses of a reader ask for: its own, the first one twice, and the first window."""
SIZE_BYTES = SLICES * MIB - 1000


@pytest.fixture(scope="module")
def content() -> Generated:
    return Generated(SIZE_BYTES, seed=secrets.randbelow(2**31))


@pytest.fixture
def digest(control: Control, publisher: Publisher, content: Generated) -> str:
    publisher.blob("team/app", b"so that the repository exists")
    return control.generated_layer(content.size_bytes, content.seed)


@pytest.fixture
def slices_read_from_s3(control: Control) -> Callable[[], int]:
    mark = control.mark()
    return lambda: control.requests(mark).count("s3.layer")


def open_slices(pod: Pod) -> int:
    """The cached files that nginx holds open: it cannot evict them."""
    links = [link for pid in tree([pod.pid]) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return sum("/blobs/" in str(link.readlink()) for link in links if link.is_symlink())


@pytest.mark.rule("R46")
def test_every_slice_of_a_large_blob_is_fetched_once_and_the_bytes_are_right(
    proxy: Pod, client: Client, control: Control, digest: str
) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/team/app/blobs/{digest}")
    assert (answer.status, answer.header("Content-Length")) == (200, str(SIZE_BYTES))
    assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == digest
    assert (answer.header("ETag"), answer.header("Docker-Content-Digest")) == (f'"{digest}"', digest)
    found = control.requests(mark)
    assert found.count("registry") == 1
    assert found.sent_bytes("s3") < SIZE_BYTES + 5 * MIB, "the first slice is asked for twice"
    assert proxy.cached_files()


@pytest.mark.rule("R46")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize("begin", [70 * MIB + 3, 3])
def test_a_pull_of_a_large_blob_is_continued(client: Client, content: Generated, digest: str, begin: int) -> None:
    answer = client.get(f"/v2/team/app/blobs/{digest}", {"Range": f"bytes={begin}-"})
    assert (answer.status, answer.header("Content-Range")) == (206, f"bytes {begin}-{SIZE_BYTES - 1}/{SIZE_BYTES}")
    assert answer.body == content.part(begin, SIZE_BYTES)


@pytest.mark.rule("R46")
@pytest.mark.usefixtures("proxy")
def test_only_the_slices_of_a_part_of_a_large_blob_are_read(
    client: Client, content: Generated, digest: str, slices_read_from_s3: Callable[[], int]
) -> None:
    begin, end = 62 * MIB + 1, 67 * MIB
    answer = client.get(f"/v2/team/app/blobs/{digest}", {"Range": f"bytes={begin}-{end - 1}"})
    assert (answer.status, answer.body) == (206, content.part(begin, end))
    time.sleep(1)
    assert slices_read_from_s3() == 5


@pytest.mark.rule("R46")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (3, SIZE_BYTES - 1),
        (3, 10**12),
        (64 * MIB, 192 * MIB),
        (64 * MIB - 1, 128 * MIB + 1),
        (99_999_999, 110_000_001),
        (89_999_999, 100_000_001),
        (95_000_000, 105_000_001),
        (100_000_000, 199_999_999),
        (10_000_000, 99_999_999),
        (195_000_000, 265_000_000),
        (SIZE_BYTES - 150_000_000, None),
    ],
)
def test_the_bytes_of_a_long_part_are_right(
    client: Client, content: Generated, digest: str, begin: int, end: int | None
) -> None:
    named = f"-{SIZE_BYTES - begin}" if end is None else f"{begin}-{end - 1}"
    end = min(end or SIZE_BYTES, SIZE_BYTES)
    answer = client.get(f"/v2/team/app/blobs/{digest}", {"Range": f"bytes={named}"})
    assert (answer.status, answer.header("Content-Range")) == (206, f"bytes {begin}-{end - 1}/{SIZE_BYTES}")
    assert (answer.header("Content-Length"), answer.header("Accept-Ranges")) == (str(end - begin), "bytes")
    assert answer.body == content.part(begin, end)


@pytest.mark.rule("R18", "R46")
@pytest.mark.usefixtures("proxy")
def test_a_long_part_beyond_the_end_of_a_blob_is_416(client: Client, digest: str) -> None:
    answer = client.get(f"/v2/team/app/blobs/{digest}", {"Range": f"bytes={SIZE_BYTES}-{10 * SIZE_BYTES}"})
    assert (answer.status, answer.header("Content-Range")) == (416, f"bytes */{SIZE_BYTES}")


@pytest.mark.rule("R46")
@pytest.mark.parametrize(
    "headers",
    [
        {"Range": f"bytes=0-{SIZE_BYTES - 2}"},
        {"Range": f"bytes=-{SIZE_BYTES - 2}"},
        {"Range": f"BYTES=0 - {SIZE_BYTES - 2}"},
        {"Range": "bytes=0-9", "If-Range": '"of another"'},
        {"Range": "lines=0-9"},
    ],
    ids=["both ends", "suffix", "other notation", "of another", "other unit"],
)
def test_a_slow_client_of_a_long_part_holds_no_more_than_two_pieces(
    proxy: Pod, client: Client, digest: str, headers: dict[str, str]
) -> None:
    path = f"/v2/team/app/blobs/{digest}"
    assert len(client.get(path).body) == SIZE_BYTES
    idle = anonymous_kib(proxy)
    with ExitStack() as stack:
        for _ in range(UNREAD):
            stack.enter_context(closing(client.open("GET", path, headers)))
        time.sleep(2)
        assert PIECE_SLICES // 2 < open_slices(proxy) <= UNREAD * 2 * PIECE_SLICES
        assert anonymous_kib(proxy) - idle < UNREAD * 1100


@pytest.mark.rule("R44")
@pytest.mark.usefixtures("proxy")
def test_the_next_slices_of_a_large_blob_are_fetched_in_parallel(
    client: Client, control: Control, digest: str, slices_read_from_s3: Callable[[], int]
) -> None:
    """One connection at a time would have asked S3 for one slice a second."""
    with (
        control.behaving(Behaviour(s3_delay_seconds=1)),
        closing(client.open("GET", f"/v2/team/app/blobs/{digest}")),
    ):
        wait_until(lambda: slices_read_from_s3() >= AHEAD, "the next slices are fetched", seconds=AHEAD - 2)


@pytest.mark.rule("R46")
def test_a_slow_client_holds_no_more_than_two_pieces(
    proxy: Pod, client: Client, digest: str, slices_read_from_s3: Callable[[], int]
) -> None:
    """Neither does the proxy read more of a cold blob than read-ahead fetches: 64 slices."""
    with closing(client.open("GET", f"/v2/team/app/blobs/{digest}")):
        wait_until(lambda: slices_read_from_s3() >= PIECE_SLICES, "the first piece is fetched")
        time.sleep(2)
        assert slices_read_from_s3() <= 3 * PIECE_SLICES
        assert open_slices(proxy) <= 2 * PIECE_SLICES


@pytest.mark.rule("F25")
def test_a_pull_ends_at_a_file_that_is_cut_short(proxy: Pod, client: Client, digest: str) -> None:
    """The pull begins at once: within seconds the scrub would find the file."""
    path = f"/v2/team/app/blobs/{digest}"
    client.get(path)
    cached = cached_files.cached(proxy.folder / "cache", "blobs")
    (file,) = (file for file in cached if f"bytes={9 * MIB}-" in cached_files.key(file))
    os.truncate(file, MIB // 2)
    assert ended_early(client, path)


def ended_early(client: Client, path: str) -> bool:
    """Whether the connection is closed soon, before the end of the body."""
    began = time.monotonic()
    try:
        answer = client.get(path)
    except TimeoutError:
        return False
    return not answer.complete and time.monotonic() - began < 15
