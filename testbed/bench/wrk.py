"""A closed loop of requests on keep-alive connections: wrk sends the next request after an answer.

A closed loop: a contestant that stalls is asked less often meanwhile, so its p99 is flattered. All are alike in that.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.commands import run

_SCRIPTS = Path(__file__).parent / "wrk"
REPORT = str(_SCRIPTS / "report.lua")
"""The script that prints the result; the others end with it."""


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a load.

    Attributes:
        errors: Answers of 400 and above, connections refused or broken, and answers that came too late.
    """

    requests_per_second: float
    bytes_per_second: float
    p50_seconds: float
    p99_seconds: float
    errors: int


def load(url: str, headers: Mapping[str, str], *, connections: int, seconds: int, listed: Path | None = None) -> Load:
    """Request `url` repeatedly.

    Args:
        url: What to ask for; with `listed`, only where.
        headers: To send with it.
        connections: How many are open, each with one request under way.
        seconds: How long.
        listed: A file with a path in each line, to choose from at random.

    Raises:
        SandboxError: wrk fails.
    """
    script = "random.lua" if listed else "report.lua"
    chosen = {"LISTED": str(listed), "REPORT": REPORT} if listed else {}
    words = command(url, script, headers, connections=connections, seconds=seconds, timeout_seconds=10)
    return parse(run(words, environment={**os.environ, **chosen}))


def command(
    url: str, script: str, headers: Mapping[str, str], *, connections: int, seconds: int, timeout_seconds: int
) -> Sequence[str]:
    """The command line of a load with one of our scripts; one that chooses requests needs the variable REPORT."""
    words = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    words += [f"--timeout={timeout_seconds}s", f"--script={_SCRIPTS / script}"]
    return [*words, *(f"--header={name}: {value}" for name, value in headers.items()), url]


def parse(output: str) -> Load:
    """What wrk has printed, the last line of it by our script.

    Raises:
        ValueError: There is no such line.
    """
    last = (output.strip().splitlines() or [""])[-1]
    try:
        counted = json.loads(last)
    except json.JSONDecodeError as error:
        raise ValueError(f"wrk printed no result, but: {output[-300:]!r}") from error
    seconds = counted["microseconds"] / 1e6
    return Load(
        requests_per_second=counted["requests"] / seconds,
        bytes_per_second=counted["bytes"] / seconds,
        p50_seconds=counted["p50"] / 1e6,
        p99_seconds=counted["p99"] / 1e6,
        errors=counted["errors"],
    )
