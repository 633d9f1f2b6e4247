"""What the node knows of a pod, from the files of either version of cgroups."""

from pathlib import Path

import pytest

from testbed.sandbox.world import World
from testbed.soak.pods import Memory, Volume, memory_limit_bytes, volumes

V1 = "cache 700\nrss 5\nshmem 6\ntotal_cache 900\ntotal_rss 10\ntotal_shmem 3\n"
V2 = "anon 10\nfile 900\nshmem 3\n"


@pytest.mark.parametrize("stat", [V1, V2])
def test_page_cache_is_not_memory_that_is_held(tmp_path: Path, stat: str) -> None:
    (tmp_path / "memory.stat").write_text(stat)

    assert Memory(tmp_path).unevictable_bytes() == 13


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memory.stat", "anon 10\nkernel 50\nslab_reclaimable 20\nsock 7\n"),
        ("memory.kmem.usage_in_bytes", "37\n"),
        ("memory.stat", "kernel 37\n"),
    ],
)
def test_what_the_kernel_cannot_take_back_is_memory_that_is_held(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    assert Memory(tmp_path).kernel_bytes() == 37


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
        ("memory.events", "low 0\nmax 7\noom_kill 2\n"),
    ],
)
def test_kills_are_counted_in_the_containers(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "container").mkdir()
    (tmp_path / "container" / name).write_text(text)

    assert Memory(tmp_path).kills() == 2


def test_a_volume_has_the_size_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "one").write_bytes(b"x" * 10_000)

    assert Volume("pod", "cache", tmp_path, 1).size_bytes() >= 10_000


def test_limits_are_the_pod_s_own() -> None:
    pod = {
        "metadata": {"name": "pod", "uid": "uid"},
        "spec": {
            "containers": [{"resources": {"limits": {"memory": "512Mi"}}}],
            "volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "3Gi"}}, {"name": "config", "configMap": {}}],
        },
    }

    assert memory_limit_bytes(pod) == 512 << 20
    assert [(volume.name, volume.limit_bytes) for volume in volumes(World(), [pod])] == [("cache", 3 << 30)]
