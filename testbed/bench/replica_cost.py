"""What a configured replica costs while nothing fails: `python -m testbed.bench.replica_cost`, inside the sandbox.

A cached answer, and a cold layer, whose slices after the first one are sent when they are complete.
"""

import os
import random
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from testbed.bench import curl, pairs
from testbed.bench.content import REPOSITORY, TAG, blob_path, manifest_path
from testbed.bench.contestants import Frontdoor
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.layer_server.server import LayerServer, serving
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

_GIB = 1 << 30
_S3_BYTES_PER_SECOND = 50_000_000
_SETTLE_SECONDS = 3
"""The TTL of the sandbox's DNS, with a margin: until then a pod may know no address of S3."""


def run(world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
    """The ratio of each case of cached content, the median of its rounds; prints all rounds, and cold pulls."""
    token = pairs.token_of(world)
    paths = _published(world, token)
    table = 'repositories = ["team/*"]'
    replica = f'replicas = [{{ account = "{world.account}", region = "{world.replica_region}" }}]'
    pods = {
        "without": Frontdoor(world, folder / "without", token, tables=[table]),
        "with": Frontdoor(world, folder / "with", token, ports_moved_by=1000, tables=[f"{table}, {replica}"]),
    }
    with pairs.serving(pods):
        with serving(world) as layers:
            layers.set_rate(_S3_BYTES_PER_SECOND)
            time.sleep(_SETTLE_SECONDS)
            _cold_pulls(pods, layers, rounds)
        time.sleep(_SETTLE_SECONDS)
        return {
            case: pairs.ratio(case, pods, pairs.requests_for(path), rounds=rounds, seconds=seconds)
            for case, path in paths.items()
        }


def _cold_pulls(pods: Mapping[str, Frontdoor], layers: LayerServer, rounds: int) -> None:
    """Pull a new layer of 1 GiB through each pod, in random order."""
    found: dict[str, list[curl.Download]] = {name: [] for name in pods}
    for _ in range(rounds):
        for name in random.sample(list(pods), len(pods)):
            digest = layers.publish(Control(), _GIB, secrets.randbelow(2**31))
            pods[name].make_cold()
            found[name] += curl.download(f"{pods[name].origin}{blob_path(digest)}", {}, clients=1)
    for name, pulls in found.items():
        say(
            f"cold GiB, {name}: first byte after {median(pull.first_byte_seconds for pull in pulls) * 1000:.0f} ms, "
            f"all after {', '.join(f'{pull.seconds:.2f}' for pull in pulls)} s"
        )
    both = zip(found["with"], found["without"], strict=True)
    say(f"cold GiB: {median(one.seconds / other.seconds for one, other in both):.3f} times")


def _published(world: World, token: str) -> dict[str, str]:
    with pairs.publisher(world, token) as publisher:
        publisher.image(REPOSITORY, TAG, [b"a layer"])
        small, large = (publisher.blob(REPOSITORY, os.urandom(size)) for size in (10_000, 30_000_000))
    return {"blob of 10 kB": blob_path(small), "manifest by tag": manifest_path(TAG), "blob of 30 MB": blob_path(large)}


if __name__ == "__main__":
    sys.exit(pairs.main("What a configured replica costs while nothing fails.", run))
