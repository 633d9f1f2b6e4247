"""What the metrics cost a cached answer: `python -m testbed.bench.metrics_cost`, inside the sandbox."""

import os
import sys
from pathlib import Path

from testbed.bench import pairs
from testbed.bench.content import REPOSITORY, TAG, blob_path, manifest_path
from testbed.bench.contestants import Frontdoor
from testbed.sandbox.world import World

_METRICS = 'monitoring_namespace = "monitoring"'


def run(world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
    """The ratio of each case, the median of its rounds; prints all rounds."""
    token = pairs.token_of(world)
    paths = _published(world, token)
    pods = {
        "without": Frontdoor(world, folder / "without", token),
        "with": Frontdoor(world, folder / "with", token, ports_moved_by=1000, proxy=_METRICS),
    }
    with pairs.serving(pods):
        return {
            case: pairs.ratio(case, pods, pairs.requests_for(path), rounds=rounds, seconds=seconds)
            for case, path in paths.items()
        }


def _published(world: World, token: str) -> dict[str, str]:
    with pairs.publisher(world, token) as publisher:
        publisher.image(REPOSITORY, TAG, [b"a layer"])
        small = publisher.blob(REPOSITORY, os.urandom(10_000))
    return {"blob of 10 kB": blob_path(small), "manifest by tag": manifest_path(TAG)}


if __name__ == "__main__":
    sys.exit(pairs.main("What the metrics cost a cached answer.", run))
