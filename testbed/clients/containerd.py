"""containerd: its daemon, and its command line `ctr`, which pulls with the resolver that the kubelet's pulls use."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.clients.client import Daemon
from testbed.clients.enclosure import HOME


class Containerd(Daemon):
    """containerd with plain folders as storage."""

    name = "containerd"
    socket = "containerd.sock"
    _client = ("ctr", f"--address={HOME / socket}")
    _login: tuple[str, ...] = ()
    hosts = "certs.d"
    """The folder of mirror settings in the client's folder: a `hosts.toml` for each host."""

    def log_in(self, logins: Mapping[str, str]) -> None:
        """See `Client`. `ctr` has no configuration of logins: it takes the one of the host it asks."""
        self._login = tuple(f"--user={login}" for login in logins.values())

    def serving(self) -> Sequence[str | Path]:
        """See `Daemon`."""
        folders = (f"--root={HOME / 'containerd'}", f"--state={HOME / 'state'}")
        return ("containerd", f"--address={HOME / self.socket}", *folders)

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        mirrors = (f"--hosts-dir={HOME / self.hosts}",) if (self.enclosure.folder / self.hosts).exists() else ()
        options = ("--local", "--snapshotter=native", *mirrors, *self._login)
        return (*self._client, "images", "pull", *options, reference)

    def forget(self) -> None:
        """See `Client`. `--sync` waits for the garbage collector, which removes content and snapshots."""
        if images := self.must(*self._client, "images", "list", "--quiet").split():
            self.must(*self._client, "images", "remove", "--sync", *images)
