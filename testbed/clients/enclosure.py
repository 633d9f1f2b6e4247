"""Where one client runs: the root file system of the clients, read-only, and one writable folder, `/client`.

The program is root and keeps every capability, since a daemon mounts what it unpacks. Its mounts are in a mount
namespace of its own and its processes in a PID namespace: both end with the program, and the program ends with the
process that has started it, even after SIGKILL.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.clients import installation
from testbed.sandbox import tools
from testbed.sandbox.rootfs import TRUST_STORE
from testbed.sandbox.world import World

HOME = Path("/client")
"""The writable folder, as the program sees it."""
DOCKER_CONFIG = HOME / "config"
OWN_PROGRAMS = "/run/programs"
"""On a file system in memory, where the mount point can be made."""
LONGEST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a program.

    Attributes:
        output: Standard output and standard error.
    """

    returncode: int
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether the program says so."""
        return self.returncode == 0


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One client's place.

    Attributes:
        folder: The writable folder, as everything outside sees it.
        programs: A folder of programs that this client has for itself.
        network: A network namespace that it has for itself.
    """

    world: World
    folder: Path
    programs: Path | None = None
    network: Path | None = None

    def run(self, *words: str | Path) -> Outcome:
        """Run a program to its end.

        Raises:
            subprocess.TimeoutExpired: It takes longer than any client may.
        """
        done = subprocess.run(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=LONGEST_SECONDS,
        )
        return Outcome(done.returncode, done.stdout)

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start a daemon; its output goes to `log` in its folder."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, *words: str | Path) -> Sequence[str]:
        """The command line that runs a program here."""
        network = ("nsenter", f"--net={self.network}") if self.network else ()
        life = ("--unshare-pid", "--die-with-parent", "--cap-add", "ALL")
        return (*network, "bwrap", *life, *self._mounts(), *_environment(), "--", *map(str, words))

    def _mounts(self) -> Sequence[str]:
        cache = self.world.cache
        read_only = {
            installation.root(cache): "/",
            tools.folder(cache): "/opt/sandbox",
            tools.folder(cache, installation.TOOLS): "/opt/clients",
            self.world.ca.certificate: f"/{TRUST_STORE}",
            "/etc/hosts": "/etc/hosts",
            "/etc/resolv.conf": "/etc/resolv.conf",
        }
        return (
            *(word for source, target in read_only.items() for word in ("--ro-bind", str(source), target)),
            *("--dev", "/dev", "--proc", "/proc", "--ro-bind", "/sys", "/sys"),
            *("--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--tmpfs", "/run"),  # noqa: S108 - the program's own
            *(("--ro-bind", str(self.programs), OWN_PROGRAMS) if self.programs else ()),
            *("--bind", str(self.folder), str(HOME)),
        )


def _environment() -> Sequence[str]:
    """Of a client whose configuration is in its folder; nothing of the caller's."""
    variables = {
        "PATH": f"{OWN_PROGRAMS}:/opt/clients:/opt/sandbox:/usr/sbin:/usr/bin",
        "HOME": str(HOME),
        "DOCKER_CONFIG": str(DOCKER_CONFIG),
        "REGISTRY_AUTH_FILE": str(DOCKER_CONFIG / "config.json"),
        "PODMAN_IGNORE_CGROUPSV1_WARNING": "true",
        "COSIGN_PASSWORD": "",  # of a key that a test makes; without it cosign asks on the terminal
    }
    return ("--clearenv", *(word for pair in variables.items() for word in ("--setenv", *pair)))
