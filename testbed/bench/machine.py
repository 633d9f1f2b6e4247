"""The machine a run was made on."""

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.rootfs import nginx_version
from testbed.sandbox.tools import MODULES
from testbed.sandbox.world import World

_IDLE = 3
"""idle and iowait are the fourth and fifth field of /proc/stat: proc(5)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader has to know to compare figures.

    Attributes:
        busy_percent: How much of all processors was taken when the run began, by whatever else ran.
    """

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    system: str
    nginx: str
    distribution: str
    wrk: str
    curl: str
    busy_percent: float


def describe(world: World) -> Machine:
    """This one, now."""
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kilobytes = re.findall(r"^MemTotal:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return Machine(
        processor=models[0] if models else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(int(kilobytes[0]) / 2**20, 1),
        kernel=platform.release(),
        system=platform.freedesktop_os_release()["PRETTY_NAME"],
        nginx=nginx_version(world.nginx_root),
        distribution=_first((MODULES / "go.mod").read_text(), r"(?<=distribution/distribution/v3 v)\S+"),
        wrk=_first(run(("/bin/sh", "-c", "wrk -v 2>&1 || true")), r"\d+\.\d+\.\d+"),
        curl=_first(run(("curl", "--version")), r"\d+\.\d+\.\d+"),
        busy_percent=round(100 * _busy(), 0),
    )


def _busy(seconds: float = 5) -> float:
    """Share of the processors' time that is not idle; time the hypervisor gives to others counts as taken."""
    before = _times()
    time.sleep(seconds)
    spent = [after - earlier for earlier, after in zip(before, _times(), strict=True)]
    return 1 - (spent[_IDLE] + spent[_IDLE + 1]) / sum(spent)


def _times() -> list[int]:
    """The first line of /proc/stat, up to stolen time; what guests take is in the first two as well: proc(5)."""
    return [int(field) for field in Path("/proc/stat").read_text().split()[1:9]]


def _first(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""
