"""The machine a run was made on."""

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from sandbox.commands import run
from sandbox.rootfs import nginx_version
from sandbox.tools import MODULES
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader has to know to compare figures; `load` is that of the last minute, when the run began."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    system: str
    nginx: str
    distribution: str
    wrk: str
    curl: str
    load: float


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
        load=round(os.getloadavg()[0], 2),
    )


def _first(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""
