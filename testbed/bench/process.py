"""Servers of the benchmark: started, waited for, ended."""

import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World
from testbed.waiting import eventually

_START_STOP_SECONDS = 60
_CONFIGURATIONS = Path(__file__).parent / "nginx"


class Process:
    """One server in the foreground."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = [str(word) for word in command]
        self._log = log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._listens_at = ("127.0.0.1", 0)

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            SandboxError: It was never started.
        """
        if self._process is None:
            raise SandboxError(f"{self._command[0]} was never started")
        return self._process.pid

    def start(self, port: int, address: str = "127.0.0.1") -> None:
        """Run it; returns when it accepts connections.

        Raises:
            SandboxError: The port is taken, or it ends, or does not listen in time; with the end of its log.
        """
        self._listens_at = (address, port)
        if _accepts(address, port):
            raise SandboxError(f"{address}:{port} is taken: {self._command[0]} cannot serve it")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        process = self._process
        eventually(
            lambda: _accepts(address, port) or process.poll() is not None, _START_STOP_SECONDS, pause_seconds=0.02
        )
        if not _accepts(address, port):
            raise SandboxError(f"{self._command[0]} does not serve port {port}: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it, with what it is serving."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_START_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(_START_STOP_SECONDS)
        # The kernel ends what runs below bwrap a moment after bwrap itself.
        eventually(lambda: not _accepts(*self._listens_at), _START_STOP_SECONDS, pause_seconds=0.02)


def nginx(world: World, folder: Path, configuration: str, values: Mapping[str, object]) -> Process:
    """The proxy image's nginx with a configuration of `testbed/bench/nginx/`; `folder` is its /run/bench."""
    environment = Environment(loader=FileSystemLoader(_CONFIGURATIONS), undefined=StrictUndefined, autoescape=False)  # noqa: S701 - no HTML
    (folder / "nginx.conf").write_text(environment.get_template(configuration).render(values))
    bwrap = shutil.which("bwrap") or "bwrap"
    links = [word for name in ("bin", "sbin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    usr: tuple[str | Path, ...] = (
        "--ro-bind",
        world.nginx_root / "usr",
        "/usr",
        *links,
        "--dev",
        "/dev",
        "--ro-bind",
        "/proc",
        "/proc",
    )
    files = [
        word for name in ("passwd", "group") for word in ("--ro-bind", world.nginx_root / "etc" / name, f"/etc/{name}")
    ]
    # Unlike the proxy's, nginx resolves the ECR name of these configurations once, at its start.
    root: tuple[str | Path, ...] = (*usr, *files, "--ro-bind", world.hosts_file, "/etc/hosts")
    inside = ("--tmpfs", "/var/lib/nginx", "--bind", folder, "/run/bench", "--unshare-pid", "--die-with-parent", "--")
    program = ("/usr/sbin/nginx", "-e", "stderr", "-c", "/run/bench/nginx.conf", "-g", "daemon off;")
    return Process((bwrap, *root, *inside, *program), folder / "nginx.log")


def _accepts(address: str, port: int) -> bool:
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex((address, port)) == 0
