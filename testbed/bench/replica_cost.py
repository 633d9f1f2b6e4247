"""What a configured replica costs while nothing fails: `python -m testbed.bench.replica_cost`, inside the sandbox.

A cached answer, and a cold layer, whose slices after the first one are sent when they are complete.
"""

import argparse
import os
import random
import secrets
import ssl
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median

import httpx2

from testbed.bench import curl, wrk
from testbed.bench.content import ACCEPT, REPOSITORY, TAG, blob_path, manifest_path
from testbed.bench.contestants import Frontdoor
from testbed.bench.pairs import CONNECTIONS, LARGEST_RATIO, ratio
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.layer_server.server import LayerServer, serving
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

_GIB = 1 << 30
_S3_BYTES_PER_SECOND = 50_000_000
_SETTLE_SECONDS = 3
"""The TTL of the sandbox's DNS, with a margin: until then a pod may know no address of S3."""


def run(world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
    """The ratio of each case of cached content, the median of its rounds; prints all rounds, and cold pulls."""
    token = Control().issue_token(world.region).authorization
    paths = _published(world, token)
    table = 'repositories = ["team/*"]'
    replica = f'replicas = [{{ account = "{world.account}", region = "{world.replica_region}" }}]'
    pods = {
        "without": Frontdoor(world, folder / "without", token, tables=[table]),
        "with": Frontdoor(world, folder / "with", token, ports_moved_by=1000, tables=[f"{table}, {replica}"]),
    }
    try:
        for pod in pods.values():
            pod.start()
        with serving(world) as layers:
            layers.set_rate(_S3_BYTES_PER_SECOND)
            time.sleep(_SETTLE_SECONDS)
            _cold_pulls(pods, layers, rounds)
        time.sleep(_SETTLE_SECONDS)
        return {
            case: ratio(case, pods, partial(_load, path), rounds=rounds, seconds=seconds)
            for case, path in paths.items()
        }
    finally:
        for pod in pods.values():
            pod.stop()


def _load(path: str, pod: Frontdoor, seconds: int) -> wrk.Load:
    return wrk.load(f"{pod.origin}{path}", ACCEPT, connections=CONNECTIONS, seconds=seconds)


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
    pairs = zip(found["with"], found["without"], strict=True)
    say(f"cold GiB: {median(one.seconds / other.seconds for one, other in pairs):.3f} times")


def _published(world: World, token: str) -> dict[str, str]:
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as client:
        publisher = Publisher(client, world.ecr_host, token)
        publisher.image(REPOSITORY, TAG, [b"a layer"])
        small, large = (publisher.blob(REPOSITORY, os.urandom(size)) for size in (10_000, 30_000_000))
    return {"blob of 10 kB": blob_path(small), "manifest by tag": manifest_path(TAG), "blob of 30 MB": blob_path(large)}


def main() -> int:
    """Measure; 1 when a cached answer costs more than 5 %."""
    parser = argparse.ArgumentParser(description="What a configured replica costs while nothing fails.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each pod in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratios = run(World.current(), Path(folder), rounds=options.rounds, seconds=options.seconds)
    return int(max(ratios.values()) > LARGEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
