"""The sandbox's PID 1 as seen from the host, identified by pid, start time and boot."""

import contextlib
import json
import os
import select
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

START_TIME_FIELD = 22 - 3
"""Start time in clock ticks since boot: field 22 of /proc/PID/stat in proc(5), of which `_stat` drops the first two."""


@dataclass(frozen=True, slots=True)
class InitProcess:
    """A process, distinguishable from a later one with the same pid."""

    pid: int
    started_at_ticks: int
    boot_id: str

    @classmethod
    def of(cls, process: Path) -> "InitProcess":
        """Identify the process of a /proc folder.

        Raises:
            FileNotFoundError: There is no such process.
        """
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(int(process.name), int(_stat(process)[START_TIME_FIELD]), boot_id)

    @classmethod
    def recorded(cls, world: World) -> "InitProcess | None":
        """The recorded process of a world, running or not; None without a record."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return cls(**json.loads(_record(world).read_text()))
        return None

    def record(self, world: World) -> None:
        """Write it to the state folder, for processes outside."""
        draft = _record(world).with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(_record(world))

    def is_alive(self) -> bool:
        """Whether this process still runs."""
        process = Path("/proc") / str(self.pid)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return InitProcess.of(process) == self and _stat(process)[0] != "Z"
        return False

    def end(self, seconds: float = 20) -> None:
        """End it, and with it every process of its PID namespace; returns when all have ended.

        Raises:
            SandboxError: Processes still run after `seconds`.
        """
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.pid)
            try:
                if self.is_alive():
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    _wait(descriptor, self.pid, seconds)
            finally:
                os.close(descriptor)


def _wait(descriptor: int, pid: int, seconds: float) -> None:
    # PID 1 of a namespace turns into a zombie only after the kernel has collected everything else in it.
    readable, _, _ = select.select([descriptor], [], [], seconds)
    if not readable:
        raise SandboxError(f"process {pid} does not end within {seconds:.0f} s; see /proc/{pid}/stack")


def _record(world: World) -> Path:
    return world.state / "init-process.json"


def _stat(process: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on; the second is the program's name, which may contain anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()
