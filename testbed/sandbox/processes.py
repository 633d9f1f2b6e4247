"""The sandbox's long-running parts: started in their own session with a log of their own, and awaited."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testbed.sandbox.errors import SandboxError, last_lines
from testbed.waiting import eventually

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One long-running program.

    Attributes:
        ready: True as soon as the part serves.
        environment: Added to the supervisor's own.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """The running parts by pid, so that PID 1 can assign an exit status to its part."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[int, tuple[Part, subprocess.Popen[bytes]]] = {}

    def start(self, part: Part) -> None:
        """Start a part; its standard output and error go to `<logs>/<name>.log`.

        Raises:
            SandboxError: The program is not installed.
        """
        with self._log(part).open("ab") as log:
            try:
                process = subprocess.Popen(
                    part.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **part.environment},
                    start_new_session=True,
                )
            except FileNotFoundError as error:
                raise SandboxError(
                    f"{part.name}: {part.command[0]} is not installed. Fix: run `python -m testbed.sandbox setup`"
                ) from error
        self._running[process.pid] = (part, process)

    def wait_until_ready(self, part: Part, seconds: float) -> None:
        """Return when the part is ready.

        Raises:
            SandboxError: It has ended, or is not ready in time. The message ends with its last log lines.
        """
        process = next(process for running, process in self._running.values() if running is part)
        if eventually(lambda: part.ready() or process.poll() is not None, seconds, pause_seconds=POLL_SECONDS):
            if process.returncode is None:
                return
            reason = _ending(process.returncode)
        else:
            reason = f"is not ready after {seconds:.0f} s"
        raise SandboxError(f"{part.name} {reason}\n{last_lines(self._log(part))}")

    def reap(self) -> Iterator[str]:
        """Reap every process that ends, without end; yields a sentence for each part among them.

        For PID 1, which reaps orphans as well.
        """
        while True:
            pid, status = os.wait()
            if pid in self._running:
                part, process = self._running.pop(pid)
                process.returncode = os.waitstatus_to_exitcode(status)
                yield f"{part.name} {_ending(process.returncode)}"

    def _log(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"has ended with status {returncode}"


def listens(address: str, port: int) -> Callable[[], bool]:
    """A readiness check: something accepts TCP connections there."""

    def check() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return True
        return False

    return check


def serves(path: Path) -> Callable[[], bool]:
    """A readiness check: something accepts connections on a unix socket."""

    def check() -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            return True
        return False

    return check
