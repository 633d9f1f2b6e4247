"""What the metrics cost a cached answer: `python -m testbed.bench.metrics_cost`, inside the sandbox.

Two pods side by side, one with metrics. Processor time of their workers for a request, and ratios within a round, in
which they take turns in random order: what else the machine does disturbs that little.
"""

import argparse
import os
import random
import ssl
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import httpx2

from testbed.bench import wrk
from testbed.bench.content import ACCEPT, REPOSITORY, TAG, blob_path, manifest_path
from testbed.bench.contestants import Frontdoor
from testbed.bench.usage import cpu_seconds, tree
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

LARGEST_RATIO = 1.05
_CONNECTIONS = 8
_METRICS = 'monitoring_namespace = "monitoring"'

Pods = Mapping[str, Frontdoor]


def measure(pods: Pods, path: str, *, rounds: int, seconds: int) -> dict[str, list[float]]:
    """Microseconds of a request of each pod, round by round."""
    found: dict[str, list[float]] = {name: [] for name in pods}
    for pod in pods.values():
        _microseconds(pod, path, 1)
    for _ in range(rounds):
        for name in random.sample(list(pods), len(pods)):
            found[name].append(_microseconds(pods[name], path, seconds))
    return found


def _microseconds(pod: Frontdoor, path: str, seconds: int) -> float:
    processes = tree(pod.processes())
    before = cpu_seconds(processes)
    load = wrk.load(f"{pod.origin}{path}", ACCEPT, connections=_CONNECTIONS, seconds=seconds)
    if load.errors:
        raise ValueError(f"{path}: {load.errors} requests fail")
    return (cpu_seconds(processes) - before) * 1e6 / (load.requests_per_second * seconds)


def run(world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
    """The ratio of each case, the median of its rounds; prints all rounds."""
    token = Control().issue_token(world.region).authorization
    paths = _published(world, token)
    pods = {
        "without": Frontdoor(world, folder / "without", token),
        "with": Frontdoor(world, folder / "with", token, ports_moved_by=1000, proxy=_METRICS),
    }
    try:
        for pod in pods.values():
            pod.start()
        return {case: _ratio(case, measure(pods, path, rounds=rounds, seconds=seconds)) for case, path in paths.items()}
    finally:
        for pod in pods.values():
            pod.stop()


def _ratio(case: str, found: Mapping[str, Sequence[float]]) -> float:
    ratios = [one / other for one, other in zip(found["with"], found["without"], strict=True)]
    costs = ", ".join(f"{name} {median(values):.1f} us (least {min(values):.1f})" for name, values in found.items())
    say(f"{case}: {costs}; {median(ratios):.3f} times ({', '.join(f'{ratio:.3f}' for ratio in ratios)})")
    return median(ratios)


def _published(world: World, token: str) -> dict[str, str]:
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as client:
        publisher = Publisher(client, world.ecr_host, token)
        publisher.image(REPOSITORY, TAG, [b"a layer"])
        small = publisher.blob(REPOSITORY, os.urandom(10_000))
    return {"blob of 10 kB": blob_path(small), "manifest by tag": manifest_path(TAG)}


def main() -> int:
    """Measure; 1 when a case costs more than 5 %."""
    parser = argparse.ArgumentParser(description="What the metrics cost a cached answer.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each pod in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratios = run(World.current(), Path(folder), rounds=options.rounds, seconds=options.seconds)
    return int(max(ratios.values()) > LARGEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
