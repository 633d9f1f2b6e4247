"""What the metrics cost a cached answer: `python -m testbed.bench.metrics_cost`, inside the sandbox."""

import argparse
import os
import ssl
import sys
import tempfile
from functools import partial
from pathlib import Path

import httpx2

from testbed.bench import wrk
from testbed.bench.content import ACCEPT, REPOSITORY, TAG, blob_path, manifest_path
from testbed.bench.contestants import Frontdoor
from testbed.bench.pairs import CONNECTIONS, LARGEST_RATIO, ratio
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World

_METRICS = 'monitoring_namespace = "monitoring"'


def _load(path: str, pod: Frontdoor, seconds: int) -> wrk.Load:
    return wrk.load(f"{pod.origin}{path}", ACCEPT, connections=CONNECTIONS, seconds=seconds)


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
        return {
            case: ratio(case, pods, partial(_load, path), rounds=rounds, seconds=seconds)
            for case, path in paths.items()
        }
    finally:
        for pod in pods.values():
            pod.stop()


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
