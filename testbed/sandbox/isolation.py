"""Isolates the sandbox from inside its namespaces: private folders, files, kernel settings and a network.

Runs as root in fresh mount, PID and network namespaces. All of it ends with them, and nothing is visible outside.
"""

from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

COPY_ON_WRITE = (Path("/var/lib"), Path("/var/log"))
"""Folders in which kubelet, CNI and containerd write at fixed paths."""

MACHINE_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""Kernel settings of the whole machine that the kubelet writes: kubernetes, pkg/util/sysctl/sysctl.go."""


def isolate(world: World) -> None:
    """Isolate the namespaces of this process.

    Raises:
        SandboxError: A mount or address is refused.
    """
    _mount("-t", "proc", "proc", "/proc")
    _private_folders(world.state)
    _bind(world.hosts_file, Path("/etc/hosts"))
    _bind(world.resolver_file, Path("/etc/resolv.conf"))
    for setting in MACHINE_SETTINGS:
        _shadow(Path("/proc/sys") / setting, world.state / "settings")
    _network(world)


def _private_folders(state: Path) -> None:
    """An empty /run; copy-on-write for the others; the state folder stays visible."""
    if state.is_relative_to("/run"):
        raise SandboxError(f"--state {state}: /run is private to the sandbox; choose a folder elsewhere")
    _mount("-t", "tmpfs", "-o", "mode=755", "sandbox", "/run")
    visible = Path("/run/sandbox-state")
    visible.mkdir()
    _mount("--bind", state, visible)
    for folder in COPY_ON_WRITE:
        layer = Path("/run/sandbox-layers") / folder.name
        upper, work = layer / "upper", layer / "work"
        upper.mkdir(parents=True)
        work.mkdir()
        _mount("-t", "overlay", "-o", f"lowerdir={folder},upperdir={upper},workdir={work}", "sandbox", folder)
    _mount("--bind", visible, state)


def _bind(source: Path, target: Path) -> None:
    """Mount a file over another one; follow links (such as resolv.conf's) and create a missing target."""
    target = target.resolve()
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount("--bind", source, target)


def _shadow(setting: Path, folder: Path) -> None:
    """Redirect writes to a kernel setting to a copy of its file."""
    if not setting.exists():
        return
    copy = folder / setting.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(setting.read_text())
    _mount("--bind", copy, setting)


def _network(world: World) -> None:
    """The sandbox's addresses on `lo`, and a route that lets a ClusterIP reach kube-proxy's rules."""
    run(("ip", "link", "set", "lo", "up"))
    for address in world.addresses:
        run(("ip", "address", "add", f"{address}/32", "dev", "lo"))
    run(("ip", "route", "add", world.service_cidr, "dev", "lo", "src", world.api_address))


def _mount(*arguments: str | Path) -> None:
    run(("mount", "--no-mtab", *arguments))
