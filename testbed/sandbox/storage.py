"""How containerd can store image layers on the state folder's file system."""

from pathlib import Path

from testbed.sandbox.commands import run


def snapshotter(folder: Path) -> str:
    """The name of containerd's snapshotter for this file system.

    An overlay cannot have its writable layer on another overlay, which the root file system of a container is; plain
    copies work everywhere: https://docs.kernel.org/filesystems/overlayfs.html#upper-and-lower.
    """
    kind = run(("stat", "--file-system", "--format=%T", folder)).strip()
    return "native" if kind == "overlayfs" else "overlayfs"
