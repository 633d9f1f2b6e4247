"""A cache whose disk is full or read-only."""

import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import RemoteDisconnected
from pathlib import Path

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import eventually, wait_until
from tests.proxy.client import ACCEPT, Client

Repair = Callable[[], object]
Fail = Callable[[Path], Repair]

MIB = 1 << 20


@pytest.fixture
def size_mib() -> int:
    """Less than `min_free` (256 MiB): every ten seconds nginx evicts as much as it can."""
    return 16


@pytest.fixture
def volume(pod: Pod, size_mib: int) -> Iterator[Path]:
    """A separate file system for the cache of a pod. nginx's critical log lines about it are expected."""
    pod.tolerated = (
        "No space left on device",
        "Read-only file system",
        "ignore long locked inactive cache entry",
        "exited on signal 9",
    )
    cache = pod.folder / "cache"
    run("mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "cache", str(cache))
    yield cache
    pod.stop()
    run("umount", str(cache))


@pytest.fixture
def disk(pod: Pod, volume: Path) -> Path:
    """The same, in a pod that serves."""
    pod.start()
    return volume


def fill(disk: Path) -> Repair:
    """Fill the disk, including the space of the file by which nginx probes it every two seconds."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for _ in range(2):
            while (disk / "probe").exists() or shutil.disk_usage(disk).free or (disk / "probe").exists():
                with suppress(OSError):
                    file.write(b"x" * MIB)
            time.sleep(0.5)
    return filler.unlink


def write_protect(disk: Path) -> Repair:
    """Make the disk read-only."""
    run("mount", "-o", "remount,ro", str(disk))
    return lambda: run("mount", "-o", "remount,rw", str(disk))


@pytest.fixture(params=[fill, write_protect])
def repair(request: pytest.FixtureRequest, disk: Path) -> Repair:
    """The disk fails from now on; calling the value repairs it."""
    made: Repair = request.param(disk)
    return made


@pytest.fixture
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", secrets.token_hex(4), [secrets.token_bytes(3 * MIB + 7)])


def run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - mount and umount, in the sandbox's namespace


def wait_until_noticed(pod: Pod) -> None:
    """Return when nginx has logged that the disk fails, and why."""
    wait_until(
        lambda: re.search(r"\((ENOSPC|EROFS)\)", pod.error_log()) is not None, "nginx has noticed the failing disk"
    )


def is_cached(client: Client, control: Control, path: str) -> bool:
    """Whether the content of a path is served without a request to ECR or S3."""
    mark = control.mark()
    assert client.get(path).status == 200
    return control.requests(mark).entries == ()


@pytest.mark.rule("R26", "F15", "F16")
def test_a_failing_disk_delays_pulls_for_seconds_and_is_used_again_once_repaired(
    pod: Pod, disk: Path, repair: Repair, client: Client, control: Control, image: Image
) -> None:
    blob, manifest = f"/v2/team/app/blobs/{image.layers[0]}", f"/v2/team/app/manifests/{image.digest}"
    with suppress(RemoteDisconnected):
        client.get(blob)  # may be cut off: nginx notices the failing disk only after it has begun to answer
    wait_until_noticed(pod)
    for _ in range(2):
        assert len(client.get(blob).body) == 3 * MIB + 7
        assert client.get(manifest, ACCEPT).body == image.manifest
    assert client.get("/-/ready").status == 200
    assert [file for file in disk.glob("*/*/*/*") if file.is_file()] == []
    repair()
    wait_until(lambda: is_cached(client, control, blob), "the disk is used again")


@pytest.mark.rule("R26", "F16")
@pytest.mark.parametrize("size_mib", [300])
def test_a_read_only_disk_still_serves_cached_content(
    pod: Pod, disk: Path, client: Client, control: Control, image: Image
) -> None:
    blob = f"/v2/team/app/blobs/{image.layers[0]}"
    whole = client.get(blob).body
    write_protect(disk)
    wait_until_noticed(pod)
    mark = control.mark()
    assert client.get(blob).body == whole
    assert control.requests(mark).entries == ()


@pytest.mark.rule("F20")
@pytest.mark.parametrize(
    ("fail", "reason"), [(fill, "No space left on device"), (write_protect, "Read-only file system")]
)
def test_a_pod_without_a_writable_cache_starts_serves_and_logs_why_it_caches_nothing(
    pod: Pod, volume: Path, client: Client, image: Image, fail: Fail, reason: str
) -> None:
    fail(volume)
    output = pod.check().stderr.decode()
    assert reason in output
    assert "cache cannot be written" in output
    pod.start()
    for _ in range(2):
        assert len(client.get(f"/v2/team/app/blobs/{image.layers[0]}").body) == 3 * MIB + 7
        assert client.get(f"/v2/team/app/manifests/{image.digest}", ACCEPT).body == image.manifest
    assert client.get("/-/ready").status == 200
    assert [cached_files(pod.folder / "run" / folder) for folder in ("blobs", "manifests")] == [[], []]
    assert not (volume / "blobs").exists(), "nginx is not started on a disk that is full"


@pytest.mark.rule("F20")
@pytest.mark.parametrize("fail", [fill, write_protect])
def test_a_repaired_cache_is_used_by_the_next_container(
    pod: Pod, volume: Path, client: Client, control: Control, image: Image, fail: Fail
) -> None:
    blob = f"/v2/team/app/blobs/{image.layers[0]}"
    repair = fail(volume)
    pod.start()
    repair()
    for _ in range(2):
        assert not is_cached(client, control, blob), "the container started without a writable cache"
    pod.kill()
    pod.restart()
    wait_until(lambda: is_cached(client, control, blob), "the cache is used")
    assert cached_files(volume / "blobs")


@pytest.mark.rule("F20")
@pytest.mark.parametrize("size_mib", [300])
def test_a_container_restarts_with_unfinished_files_on_a_read_only_disk(
    pod: Pod, disk: Path, client: Client, control: Control, image: Image
) -> None:
    blob, unfinished = f"/v2/team/app/blobs/{image.layers[0]}", disk / "blobs" / "0" / "00" / f"{'0' * 32}.0000000001"
    client.get(blob)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(b"half")
    pod.kill()
    run("mount", "-o", "remount,ro", str(disk))
    pod.restart()
    mark = control.mark()
    assert len(client.get(blob).body) == 3 * MIB + 7
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R26")
@pytest.mark.parametrize("size_mib", [300])
def test_the_least_recently_used_content_is_evicted_before_the_disk_is_full(
    disk: Path, client: Client, image: Image
) -> None:
    """Another process fills the disk: nginx keeps 256 MiB free, and checks every ten seconds."""
    client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert cached_files(disk / "blobs")
    (disk / "filler").write_bytes(b"x" * (60 * MIB))
    eventually(lambda: not cached_files(disk / "blobs"), 40, pause_seconds=0.1)
    assert not cached_files(disk / "blobs")


def cached_files(folder: Path) -> list[Path]:
    """The files in the cache."""
    return [file for file in folder.glob("*/??/*") if file.is_file()]
