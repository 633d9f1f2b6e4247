"""Two pods side by side: what a request costs the one, compared with the other.

Processor time of their workers for a request, and ratios within a round, in which they take turns in random order, a
second each. Of a round the least of each counts: what else the machine does makes requests dearer and never cheaper.
"""

import argparse
import random
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Protocol

import httpx2

from testbed.bench import wrk
from testbed.bench.content import ACCEPT
from testbed.bench.contestants import Frontdoor
from testbed.bench.usage import cpu_seconds, tree
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

LARGEST_RATIO = 1.05
CONNECTIONS = 8

Requests = Callable[[Frontdoor, int], wrk.Load]
"""Sends requests to a pod for some seconds."""


class Run(Protocol):
    """Measures; gives the ratio of each case of cached content."""

    def __call__(self, world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
        """Measure so many rounds, in which each pod gets requests for so many seconds."""


def main(description: str, run: Run) -> int:
    """The program of one measurement: 1 when a case costs more than 5 %."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each pod in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratios = run(World.current(), Path(folder), rounds=options.rounds, seconds=options.seconds)
    return int(max(ratios.values()) > LARGEST_RATIO)


def token_of(world: World) -> str:
    """A token for the world's registry."""
    return Control().issue_token(world.region).authorization


@contextmanager
def publisher(world: World, token: str) -> Iterator[Publisher]:
    """Writes into the world's registry."""
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as client:
        yield Publisher(client, world.ecr_host, token)


@contextmanager
def serving(pods: Mapping[str, Frontdoor]) -> Iterator[None]:
    """Both pods run."""
    try:
        for pod in pods.values():
            pod.start()
        yield
    finally:
        for pod in pods.values():
            pod.stop()


def requests_for(path: str) -> Requests:
    """Requests for one path."""
    return partial(_requests_for, path)


def _requests_for(path: str, pod: Frontdoor, seconds: int) -> wrk.Load:
    return wrk.load(f"{pod.origin}{path}", ACCEPT, connections=CONNECTIONS, seconds=seconds)


def ratio(case: str, pods: Mapping[str, Frontdoor], requests: Requests, *, rounds: int, seconds: int) -> float:
    """The cost of the second pod, divided by that of the first: the median of the rounds. Prints all rounds."""
    found: dict[str, list[float]] = {name: [] for name in pods}
    for pod in pods.values():
        _microseconds(case, pod, requests)
    for _ in range(rounds):
        turns: dict[str, list[float]] = {name: [] for name in pods}
        for _ in range(seconds):
            for name in random.sample(list(pods), len(pods)):
                turns[name].append(_microseconds(case, pods[name], requests))
        for name, costs in turns.items():
            found[name].append(min(costs))
    first, second = found.values()
    ratios = [one / other for one, other in zip(second, first, strict=True)]
    shown = ", ".join(f"{name} {median(values):.1f} us" for name, values in found.items())
    say(f"{case}: {shown}; {median(ratios):.3f} times ({', '.join(f'{one:.3f}' for one in ratios)})")
    return median(ratios)


def _microseconds(case: str, pod: Frontdoor, requests: Requests) -> float:
    processes = tree(pod.processes())
    before = cpu_seconds(processes)
    load = requests(pod, 1)
    if load.errors:
        raise ValueError(f"{case}: {load.errors} requests fail")
    return (cpu_seconds(processes) - before) * 1e6 / load.requests_per_second
