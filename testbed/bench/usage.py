"""What a contestant's processes cost: CPU time, and memory at its highest."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_POLL_SECONDS = 0.05
_UTIME, _CSTIME = 14 - 3, 17 - 3
"""utime, stime, cutime and cstime are fields 14 to 17 of /proc/PID/stat in proc(5); `_stat` drops the first two."""


@dataclass(slots=True)
class Usage:
    """CPU time and memory used while watched."""

    cpu_seconds: float = 0
    peak_bytes: int = 0


@contextmanager
def watched(roots: Iterable[int]) -> Iterator[Usage]:
    """Watch processes and all below them; the figures are complete when the block ends."""
    processes = tree(roots)
    usage, ended = Usage(), threading.Event()

    def poll() -> None:
        while True:
            usage.peak_bytes = max(usage.peak_bytes, memory_bytes(processes))
            if ended.wait(_POLL_SECONDS):
                return

    watcher = threading.Thread(target=poll, daemon=True)
    before = cpu_seconds(processes)
    watcher.start()
    try:
        yield usage
    finally:
        ended.set()
        watcher.join()
        usage.cpu_seconds = cpu_seconds(processes) - before


def tree(roots: Iterable[int]) -> list[int]:
    """The processes and everything below them."""
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, task.read_text().split())
    return found


def cpu_seconds(processes: Iterable[int]) -> float:
    """User and system time so far."""
    ticks = 0
    for pid in processes:
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, stat[_UTIME : _CSTIME + 1]))
    return ticks / _TICKS


def memory_bytes(processes: Iterable[int]) -> int:
    """Resident memory, shared pages counted once (proportional set size). The kernel's page cache is not in it."""
    kilobytes = 0
    for pid in processes:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes * 1024
