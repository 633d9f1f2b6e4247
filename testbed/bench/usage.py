"""What a contestant's processes cost: CPU time, and memory at its highest."""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_POLL_SECONDS = 0.05
_UTIME, _CSTIME = 14 - 3, 17 - 3
"""utime, stime, cutime and cstime are fields 14 to 17 of /proc/PID/stat in proc(5); `_stat` drops the first two."""


@dataclass(slots=True)
class Usage:
    """CPU time and memory used while watched.

    Attributes:
        peak_bytes: Resident memory at its highest.
        unevictable_bytes: Anonymous and shared memory over the time: what counts against a container's limit.
    """

    cpu_seconds: float = 0
    peak_bytes: int = 0
    unevictable_bytes: list[int] = field(default_factory=list)

    @property
    def growth_bytes(self) -> int:
        """How far that memory rose above its highest of the first quarter, when everything was in use once."""
        begin = self.unevictable_bytes[: len(self.unevictable_bytes) // 4 + 1]
        return max(self.unevictable_bytes) - max(begin)


@contextmanager
def watched(roots: Iterable[int]) -> Iterator[Usage]:
    """Watch processes and all below them; the figures are complete when the block ends."""
    processes = tree(roots)
    usage, ended = Usage(), threading.Event()

    def poll() -> None:
        while True:
            found = memory_bytes(processes)
            usage.peak_bytes = max(usage.peak_bytes, found["Pss"])
            usage.unevictable_bytes.append(unevictable(found))
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


def memory_bytes(processes: Iterable[int]) -> Mapping[str, int]:
    """Memory by kind, shared pages counted once (proportional set size): fields of /proc/PID/smaps_rollup in proc(5).

    The kernel's page cache is not in it.
    """
    found: Counter[str] = Counter()
    for pid in processes:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                kind, _, amount = line.partition(":")
                if kind.startswith("Pss"):
                    found[kind] += int(amount.split()[0]) * 1024
    return found


def unevictable(memory: Mapping[str, int]) -> int:
    """Anonymous and shared memory: what the kernel cannot take back from a container at its limit."""
    return memory["Pss_Anon"] + memory["Pss_Shmem"]
