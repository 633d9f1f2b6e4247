"""What a sandbox could leave behind on a machine, read from the kernel."""

import contextlib
import hashlib
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox import cgroups
from testbed.sandbox.commands import run
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.world import World

FOLDERS = tuple(
    Path(name) for name in ("/var/lib", "/var/log", "/run", "/run/netns", "/etc", "/opt", "/var/lib/cni", "/etc/cni")
)
SETTINGS = ("vm", "kernel", "net")
CHANGES_BY_ITSELF = (
    "uuid",
    "boot_id",
    "pty",
    "ns_last_pid",
    "random",
    "perf_event_max_sample_rate",
    "nf_conntrack_count",
)


@dataclass(frozen=True)
class Snapshot:
    """The parts of a machine's state that the sandbox must not change. Two are equal when nothing of it differs."""

    mounts: tuple[str, ...]
    links: str
    rules: str
    settings: dict[str, str]
    folders: dict[str, tuple[str, ...]]
    hosts: str
    resolver: str

    @classmethod
    def take(cls) -> "Snapshot":
        return cls(
            mounts=tuple(line.split(" - ")[0].split(" ", 3)[3] for line in _lines("/proc/self/mountinfo")),
            links=run(("ip", "-oneline", "-brief", "address")),
            rules=run(("iptables-save",)),
            settings=dict(_settings()),
            folders={str(folder): _names(folder) for folder in FOLDERS},
            hosts=_identity(Path("/etc/hosts")),
            resolver=_identity(Path("/etc/resolv.conf")),
        )


def processes_of(world: World) -> list[str]:
    """Command lines of the sandbox's parts, which name its folder, and of its pods, which are in its cgroup."""
    return [command for command, groups in _processes() if str(world.state) in command or f"/{world.cgroup}/" in groups]


class PidNamespace:
    """The PID namespace of a process. It is held open: the kernel gives the number of one that has ended to the next.

    Attributes:
        name: Such as `pid:[4026532000]`.
    """

    def __init__(self, process: Path) -> None:
        held = os.open(process / "ns" / "pid", os.O_RDONLY)
        weakref.finalize(self, os.close, held)
        self.name = str(Path(f"/proc/self/fd/{held}").readlink())


def processes_in(namespace: PidNamespace) -> list[str]:
    """Ids of every process in a PID namespace."""
    return [process.name for process in Path("/proc").glob("[0-9]*") if _namespace(process) == namespace.name]


def programs_in(namespace: PidNamespace) -> list[str]:
    """The names of the programs in a PID namespace."""
    found = []
    for process in processes_in(namespace):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.append((Path("/proc") / process / "comm").read_text().strip())
    return found


def namespace_of(world: World) -> PidNamespace:
    """The PID namespace of a sandbox that is up."""
    init = InitProcess.recorded(world)
    assert init is not None
    return PidNamespace(Path("/proc") / str(init.pid))


def cgroups_of(world: World) -> list[Path]:
    return [subtree for subtree in cgroups.subtrees(world.cgroup) if subtree.exists()]


def _processes() -> Iterator[tuple[str, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield command, (process / "cgroup").read_text()


def _namespace(process: Path) -> str | None:
    with contextlib.suppress(OSError):
        return str((process / "ns" / "pid").readlink())
    return None


def _settings() -> Iterator[tuple[str, str]]:
    for top in SETTINGS:
        for path in Path("/proc/sys", top).rglob("*"):
            if (
                path.is_file()
                and path.stat().st_mode & 0o444
                and not any(word in str(path) for word in CHANGES_BY_ITSELF)
            ):
                try:
                    yield str(path), path.read_text()
                except OSError:
                    continue


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _names(folder: Path) -> tuple[str, ...]:
    """The content of a folder, without sandboxes that other commands bring up or down meanwhile."""
    names = (path.name for path in folder.iterdir()) if folder.exists() else ()
    return tuple(sorted(name for name in names if "frontdoor" not in name))


def _identity(path: Path) -> str:
    return f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
