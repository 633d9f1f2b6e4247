"""The cgroup subtree the pods live in: on cgroup v1 one folder per hierarchy, on v2 a single one."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from testbed.sandbox.errors import SandboxError
from testbed.waiting import eventually

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "io")


def subtrees(name: str, root: Path = ROOT) -> Sequence[Path]:
    """The folders of the subtree `name`: one for each hierarchy."""
    if _is_v2(root):
        return (root / name,)
    # A controller may be mounted together with another one and linked by its own name (cpu -> cpu,cpuacct).
    return tuple(hierarchy / name for hierarchy in root.iterdir() if hierarchy.is_dir() and not hierarchy.is_symlink())


def create(name: str, root: Path = ROOT) -> None:
    """Make the subtree in every hierarchy; on v2, with every controller the kubelet counts on.

    Raises:
        SandboxError: Cgroups cannot be written here.
    """
    try:
        if _is_v2(root):
            _enable_controllers(root)
        for subtree in subtrees(name, root):
            subtree.mkdir(exist_ok=True)
    except OSError as error:
        raise SandboxError(
            f"cannot create a cgroup below {root}: {error}; the sandbox needs a machine or a privileged container"
        ) from error


def remove(name: str, root: Path = ROOT, seconds: float = 10) -> None:
    """Remove the subtree in every hierarchy. Its processes must have ended; the kernel may take a moment longer.

    Raises:
        SandboxError: A cgroup is still in use.
    """
    for subtree in subtrees(name, root):
        if not eventually(partial(_is_removed, subtree), seconds):
            raise SandboxError(f"{subtree} is still in use: its processes are in {subtree}/**/cgroup.procs")


def _is_removed(subtree: Path) -> bool:
    """Remove it if it is there; False while the kernel still uses it."""
    try:
        for folder, _, _ in os.walk(subtree, topdown=False):
            Path(folder).rmdir()
    except OSError:
        return False
    return True


def _is_v2(root: Path) -> bool:
    return (root / "cgroup.controllers").exists()


def _enable_controllers(root: Path) -> None:
    available = (root / "cgroup.controllers").read_text().split()
    control = root / "cgroup.subtree_control"
    enabled = control.read_text().split()
    for controller in CONTROLLERS:
        if controller in available and controller not in enabled:
            control.write_text(f"+{controller}")
