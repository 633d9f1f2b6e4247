"""Docker: its daemon, which pulls, and its command line."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients.client import Daemon
from testbed.clients.enclosure import HOME, Outcome


class Docker(Daemon):
    """Docker with plain folders as storage, which work on every file system, and without a network of its own."""

    name = "docker"
    socket = "docker.sock"
    settings = "daemon.json"
    """The daemon's configuration in the client's folder, where there is one."""
    _host = f"--host=unix://{HOME / socket}"

    def serving(self) -> Sequence[str | Path]:
        """See `Daemon`. The daemon brings its own containerd."""
        folders = (f"--data-root={HOME / 'docker'}", f"--exec-root={HOME / 'run'}", f"--pidfile={HOME / 'docker.pid'}")
        network = ("--iptables=false", "--ip6tables=false", "--bridge=none")
        has_settings = (self.enclosure.folder / self.settings).exists()
        settings = (f"--config-file={HOME / self.settings}",) if has_settings else ()
        return ("dockerd", self._host, *folders, "--storage-driver=vfs", *network, *settings)

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("docker", self._host, "pull", reference)

    def forget(self) -> None:
        """See `Client`. BuildKit has a store of its own."""
        for store in ("image", "builder"):
            self.must("docker", self._host, store, "prune", "--all", "--force")

    def build(self, base: str) -> Outcome:
        """Build an image from `base`, which BuildKit fetches from the registry even if the daemon has it."""
        context = self.enclosure.folder / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(f"FROM {base}\nCOPY Dockerfile /\n")
        options = ("--pull", "--no-cache", "--progress=plain")
        return self.enclosure.run("docker", self._host, "build", *options, HOME / context.name)
