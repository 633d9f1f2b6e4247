"""What the node knows of the proxy's pods: their volumes, and their memory."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_fn.contract.quantity import parse_quantity
from testbed.sandbox import cgroups
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

BLOCK_BYTES = 512
"""The unit of st_blocks."""

Pod = Mapping[str, Any]
"""As Kubernetes has it."""


@dataclass(frozen=True)
class Volume:
    """An emptyDir of a pod, on the node."""

    pod: str
    name: str
    folder: Path
    limit_bytes: int

    def size_bytes(self) -> int:
        """What its files take on the disk; a file that is deleted meanwhile counts nothing."""
        return _allocated_bytes(self.folder)


def note_peaks(peaks: dict[Volume, int]) -> None:
    """Raise each volume's largest size to its size now, where that is larger."""
    for volume, peak in peaks.items():
        peaks[volume] = max(peak, volume.size_bytes())


def hold(peaks: Mapping[Volume, int]) -> bool:
    """Whether no volume has passed its limit."""
    return all(peak <= volume.limit_bytes for volume, peak in peaks.items())


def volume_figures(peaks: Mapping[Volume, int]) -> list[dict[str, object]]:
    """Of each volume, for the report."""
    return [
        {"pod": volume.pod, "volume": volume.name, "limit_bytes": volume.limit_bytes, "peak_bytes": peak}
        for volume, peak in peaks.items()
    ]


def volumes(world: World, pods: Sequence[Pod]) -> Iterator[Volume]:
    """Those with a limit."""
    for pod in pods:
        root = world.kubelet_root / "pods" / pod["metadata"]["uid"] / "volumes" / "kubernetes.io~empty-dir"
        for volume in pod["spec"]["volumes"]:
            if limit := volume.get("emptyDir", {}).get("sizeLimit"):
                yield Volume(pod["metadata"]["name"], volume["name"], root / volume["name"], int(parse_quantity(limit)))


def memory_limit_bytes(pod: Pod) -> int:
    """The limit of the only container."""
    (container,) = pod["spec"]["containers"]
    return int(parse_quantity(container["resources"]["limits"]["memory"]))


@dataclass(frozen=True)
class Memory:
    """The memory of a pod, by its cgroup."""

    cgroup: Path

    @classmethod
    def of(cls, world: World, pod: Pod) -> "Memory":
        """That of a pod which runs.

        Raises:
            SandboxError: It has no cgroup.
        """
        uid = pod["metadata"]["uid"]
        for subtree in cgroups.subtrees(world.cgroup):
            for folder in subtree.rglob(f"pod{uid}"):
                if (folder / "memory.stat").exists():
                    return cls(folder)
        raise SandboxError(f"pod {pod['metadata']['name']} has no cgroup of its memory below {world.cgroup}")

    def unevictable_bytes(self) -> int:
        """Anonymous and shared memory: the kernel takes back everything else, at the limit. 0 at the pod's end."""
        numbers = self._numbers("memory.stat")
        # cgroup v1 has the totals of the pod's containers under other names.
        return numbers.get("total_rss", numbers.get("anon", 0)) + numbers.get("total_shmem", numbers.get("shmem", 0))

    def kernel_bytes(self) -> int:
        """What the kernel holds for the pod's connections and files, and does not take back.

        Without the data in sockets on cgroup v1, which does not count it.
        """
        numbers = self._numbers("memory.stat")
        if "kernel" in numbers:
            return numbers["kernel"] - numbers.get("slab_reclaimable", 0) + numbers.get("sock", 0)
        with suppress(OSError):
            return int((self.cgroup / "memory.kmem.usage_in_bytes").read_text())
        return 0

    def kills(self) -> int:
        """Processes that the kernel has killed at the limit."""
        files = [file for name in ("memory.oom_control", "memory.events") for file in self.cgroup.rglob(name)]
        return sum(self._numbers(str(file.relative_to(self.cgroup))).get("oom_kill", 0) for file in files)

    def _numbers(self, file: str) -> dict[str, int]:
        with suppress(OSError):  # the pod has ended
            pairs = (line.split() for line in (self.cgroup / file).read_text().splitlines())
            return {name: int(number) for name, number in pairs}
        return {}


def _allocated_bytes(folder: Path | str) -> int:
    """Of a cache with tens of thousands of files, twice a second: so no Path for each."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += _allocated_bytes(entry.path)
                continue
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
    return total
