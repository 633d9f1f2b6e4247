"""A cache whose disk is full, or can only be read."""

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from sandbox.cloud.control import Control
from sandbox.cloud.publish import Image, Publisher
from sandbox.pod import Pod
from tests.proxy.client import ACCEPT, Client

MIB = 1 << 20
NOTICED_SECONDS = 4
"""After this, nginx has noticed that its disk fails, or does no more."""


@pytest.fixture
def size_mib() -> int:
    """Less than the 256 MiB that are to stay free: every ten seconds nginx drops what it keeps, as far as it can."""
    return 16


@pytest.fixture
def disk(pod: Pod, size_mib: int) -> Iterator[Path]:
    """A file system of its own under the cache of a pod that serves. What nginx calls critical about it is expected."""
    pod.tolerated = ("No space left on device", "Read-only file system", "ignore long locked inactive cache entry")
    cache = pod.folder / "cache"
    run("mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "cache", str(cache))
    pod.start()
    yield cache
    pod.stop()
    run("umount", str(cache))


@pytest.fixture(params=["full", "read-only"])
def repair(request: pytest.FixtureRequest, disk: Path) -> Callable[[], None]:
    """The disk fails from now on; calling this repairs it."""
    if request.param == "full":
        filler = disk / "filler"
        with suppress(OSError):
            filler.write_bytes(b"x" * (20 * MIB))
        return filler.unlink
    run("mount", "-o", "remount,ro", str(disk))
    return lambda: run("mount", "-o", "remount,rw", str(disk))


@pytest.fixture
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", secrets.token_hex(4), [secrets.token_bytes(3 * MIB + 7)])


def run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - mount and umount, in the sandbox's namespace


def test_a_disk_that_fails_stops_no_pull_for_long_and_is_used_again(
    disk: Path, repair: Callable[[], None], client: Client, control: Control, image: Image
) -> None:
    blob, manifest = f"/v2/team/app/blobs/{image.layers[0]}", f"/v2/team/app/manifests/{image.digest}"
    with suppress(RemoteDisconnected):
        assert not client.get(blob).complete, "nginx has begun to answer when it learns of it"
    time.sleep(NOTICED_SECONDS)
    for _ in range(2):
        assert len(client.get(blob).body) == 3 * MIB + 7
        assert client.get(manifest, ACCEPT).body == image.manifest
    assert client.get("/-/ready").status == 200
    assert [file for file in disk.glob("*/*/*/*") if file.is_file()] == []
    repair()
    time.sleep(NOTICED_SECONDS)
    assert len(client.get(blob).body) == 3 * MIB + 7
    mark = control.mark()
    assert client.get(blob).status == 200
    assert control.requests(mark).entries == ()


@pytest.mark.parametrize("size_mib", [300])
def test_what_is_kept_is_served_from_a_disk_that_can_only_be_read(
    disk: Path, client: Client, control: Control, image: Image
) -> None:
    blob = f"/v2/team/app/blobs/{image.layers[0]}"
    whole = client.get(blob).body
    run("mount", "-o", "remount,ro", str(disk))
    time.sleep(NOTICED_SECONDS)
    mark = control.mark()
    assert client.get(blob).body == whole
    assert control.requests(mark).entries == ()


@pytest.mark.parametrize("size_mib", [300])
def test_the_oldest_goes_before_the_disk_is_full(disk: Path, client: Client, image: Image) -> None:
    """Somebody else fills it: 256 MiB are to stay free, and nginx looks every ten seconds."""
    client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert kept(disk)
    (disk / "filler").write_bytes(b"x" * (60 * MIB))
    deadline = time.monotonic() + 40
    while kept(disk) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not kept(disk)


def kept(disk: Path) -> list[Path]:
    """The slices that are there."""
    return [file for file in (disk / "blobs").rglob("*") if file.is_file()]
