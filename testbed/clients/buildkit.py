"""BuildKit by itself, as CI builds with it: its daemon `buildkitd` with runc, and its command line `buildctl`."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients import installation
from testbed.clients.client import Daemon
from testbed.clients.enclosure import HOME
from testbed.sandbox import tools


class Buildkit(Daemon):
    """BuildKit with plain folders as storage. Its pull is a build from the image, which unpacks every layer."""

    name = "buildkit"
    socket = "buildkitd.sock"
    settings = "buildkitd.toml"
    """The name of its settings in the client's folder."""
    _client = ("buildctl", f"--addr=unix://{HOME / socket}")

    @classmethod
    def programs(cls, cache: Path) -> Path:
        """See `Client`."""
        return tools.folder(cache, installation.BUILDKIT)

    def serving(self) -> Sequence[str | Path]:
        """See `Daemon`."""
        folders = (f"--root={HOME / 'buildkit'}", f"--config={HOME / self.settings}")
        worker = ("--containerd-worker=false", "--oci-worker-snapshotter=native", "--oci-worker-net=host")
        return ("buildkitd", f"--addr=unix://{HOME / self.socket}", *folders, *worker)

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        context = self.enclosure.folder / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(f"FROM {reference}\nCOPY Dockerfile /\n")
        sources = (f"--local=context={HOME / context.name}", f"--local=dockerfile={HOME / context.name}")
        options = ("--frontend=dockerfile.v0", "--no-cache", "--progress=plain")
        return (*self._client, "build", *options, *sources, f"--output=type=oci,dest={HOME / 'built.tar'}")

    def forget(self) -> None:
        """See `Client`."""
        self.must(*self._client, "prune", "--all")
