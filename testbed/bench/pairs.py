"""Two pods side by side: what a request costs the one, compared with the other.

Processor time of their workers for a request, and ratios within a round, in which they take turns in random order, a
second each. Of a round the least of each counts: what else the machine does makes requests dearer and never cheaper.
"""

import random
from collections.abc import Callable, Mapping
from statistics import median

from testbed.bench.contestants import Frontdoor
from testbed.bench.usage import cpu_seconds, tree
from testbed.bench.wrk import Load
from testbed.sandbox.progress import say

LARGEST_RATIO = 1.05
CONNECTIONS = 8

Requests = Callable[[Frontdoor, int], Load]
"""Sends requests to a pod for some seconds."""


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
