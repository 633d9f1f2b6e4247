"""Thousands of clients that pull the same paths at the same time: our own program, `testbed/bench/crowd/`."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from testbed.bench.content import ACCEPT
from testbed.sandbox import tools
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.tools import Tool
from testbed.sandbox.world import World

PROGRAM = Tool("crowd", ".", Path(__file__).parent / "crowd")
SOURCES = "127.1.0.0/23"
"""510 source addresses."""
_LONGEST_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How clients pull.

    Attributes:
        clients: How many.
        ramp_seconds: In which they start, evenly.
        bytes_per_second: Which each reads at most; 0: no limit.
        leave_after_seconds: After which a client leaves with what it has; 0: at the end of its pull.
        verify_every: Every so many clients compare blobs with their digests; 0: none.
    """

    clients: int
    ramp_seconds: float = 0
    bytes_per_second: int = 0
    leave_after_seconds: float = 0
    verify_every: int = 0


@dataclass(frozen=True, slots=True)
class Client:
    """What one client got; seconds since its own start.

    Attributes:
        failure: Empty for a client that got everything, or left as planned.
    """

    first_byte_seconds: float
    seconds: float
    bytes: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What all of them got.

    Attributes:
        seconds: From the start of the first to the end of the last.
    """

    seconds: float
    bytes: int
    clients: Sequence[Client]

    @property
    def bytes_per_second(self) -> float:
        """Of all clients together."""
        return self.bytes / self.seconds

    @property
    def failures(self) -> Sequence[str]:
        """One for each client that failed."""
        return [client.failure for client in self.clients if client.failure]

    @property
    def finish_p99_to_p50(self) -> float:
        """How much longer the slowest clients took than the median."""
        percentiles = quantiles((client.seconds for client in self.clients), n=100, method="inclusive")
        return percentiles[98] / percentiles[49]


def build(world: World) -> None:
    """Build the program if the cache lacks it; it needs nothing from the network.

    Raises:
        SandboxError: The build fails.
    """
    tools.build(world.cache, (PROGRAM,))


def pull(world: World, origins: Sequence[str], paths: Sequence[str], habits: Habits) -> Crowd:
    """Let clients pull every path, each over one connection.

    Args:
        world: The sandbox: domain and certificate authority.
        origins: Which the clients connect to in turn, all over TLS or none.
        paths: In the order of requests.
        habits: How many clients, and how they pull.

    Raises:
        SandboxError: The program fails, or does not end in time.
    """
    options = {
        "clients": habits.clients,
        "sources": SOURCES,
        "targets": ",".join(origin.partition("://")[2] for origin in origins),
        "host": world.domain,
        "accept": ACCEPT["Accept"],
        "ramp": f"{habits.ramp_seconds}s",
        "rate": habits.bytes_per_second,
        "leave-after": f"{habits.leave_after_seconds}s",
        "verify-every": habits.verify_every,
        "timeout": f"{_LONGEST_SECONDS}s",
    }
    if origins[0].startswith("https:"):
        options["ca"] = str(world.ca.certificate)
    words = (str(tools.program(world.cache, PROGRAM)), *(f"-{name}={value}" for name, value in options.items()), *paths)
    done = subprocess.run(words, capture_output=True, text=True, timeout=_LONGEST_SECONDS + 60, check=False)
    if done.returncode:
        raise SandboxError(f"crowd ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    return parse(done.stdout)


def parse(output: str) -> Crowd:
    """What the program has printed."""
    printed = json.loads(output)
    return Crowd(printed["seconds"], printed["bytes"], [Client(**client) for client in printed["clients"]])
