"""Docker: its daemon, which pulls, and its command line."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients.client import Daemon
from testbed.clients.enclosure import HOME


class Docker(Daemon):
    """Docker with plain folders as storage, which work on every file system, and without a network of its own."""

    name = "docker"
    socket = "docker.sock"
    _host = f"--host=unix://{HOME / socket}"

    def serving(self) -> Sequence[str | Path]:
        """See `Daemon`. The daemon brings its own containerd."""
        folders = (f"--data-root={HOME / 'docker'}", f"--exec-root={HOME / 'run'}", f"--pidfile={HOME / 'docker.pid'}")
        network = ("--iptables=false", "--ip6tables=false", "--bridge=none")
        return ("dockerd", self._host, *folders, "--storage-driver=vfs", *network)

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("docker", self._host, "pull", reference)

    def forget(self) -> None:
        """See `Client`."""
        self.must("docker", self._host, "image", "prune", "--all", "--force")
