"""Podman, which needs no daemon."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients.client import Client
from testbed.clients.enclosure import HOME
from testbed.sandbox.errors import SandboxError


class Podman(Client):
    """Podman with plain folders as storage."""

    name = "podman"
    _podman = (
        "podman", f"--root={HOME / 'storage'}", f"--runroot={HOME / 'run'}", "--storage-driver=vfs",
        "--cgroup-manager=cgroupfs", "--events-backend=none",
    )  # fmt: skip

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`. One try: the tests count requests and wait for failures."""
        return (*self._podman, "pull", "--retry=0", reference)

    def forget(self) -> None:
        """See `Client`."""
        removed = self.enclosure.run(*self._podman, "rmi", "--all", "--force")
        if not removed.succeeded:
            raise SandboxError(f"podman rmi ended with status {removed.returncode}: {removed.output}")
