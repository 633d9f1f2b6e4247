"""Slow pulls that run, and new ones, while parts of the registry's region are off and come back: none is lost."""

import hashlib
import itertools
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Event

import pytest

from testbed.sandbox.cloud.publish import Image, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.dns import NameServer
from tests.proxy.replicated import BLOBS, MANIFESTS, Regions, replica_of

_LOG = logging.getLogger(__name__)

CLIENTS = 20
MIB = 1 << 20
LAYER_BYTES = 4 * MIB
SLOW_S3 = {"s3_bytes_per_second": 1_000_000}
OUTAGE_SECONDS = 3


@pytest.fixture(scope="module")
def resolver() -> str:
    """An address that no other DNS server uses."""
    return "127.0.0.54"


@pytest.fixture(scope="module")
def timeouts() -> str:
    return "ecr_seconds = 2\ns3_seconds = 3"


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world)


@pytest.fixture
def dns(resolver: str, names: dict[str, str], world: World, tmp_path: Path) -> Iterator[NameServer]:
    made = NameServer(resolver, tmp_path / "hosts", zone="amazonaws.com")
    made.tell(names | of_replica(world))
    made.start()
    yield made
    made.stop()


def of_replica(world: World) -> dict[str, str]:
    """The names of the other region, and their addresses."""
    return {world.replica_host: world.replica_ecr_address, world.replica_layer_host: world.replica_s3_address}


@pytest.mark.rule("R140", "R146", "F140", "F142")
def test_no_pull_is_lost_while_a_region_fails_and_comes_back(
    pod: Pod, client: Client, regions: Regions, dns: NameServer, names: dict[str, str], world: World
) -> None:
    fresh = iter([regions.push(size_bytes=100_000) for _ in range(140)])
    pod.start()

    @contextmanager
    def without_names() -> Iterator[None]:
        dns.tell(of_replica(world))
        with regions.failing(**SLOW_S3):
            yield
        dns.tell(names | of_replica(world))

    outages: list[AbstractContextManager[None]] = [
        regions.failing(registry_outage="refused", **SLOW_S3),
        regions.failing(s3_outage="refused"),
        regions.failing(registry_delay_seconds=60, s3_delay_seconds=60),
        regions.failing(registry_status=500, s3_status=503),
        regions.failing(registry_outage="reset", s3_outage="reset"),
        without_names(),
    ]
    seconds: list[float] = []
    ended, seeds = Event(), itertools.count()
    with ThreadPoolExecutor(CLIENTS) as pool, regions.failing(**SLOW_S3):
        running = [pool.submit(slow_pulls, client, regions, seeds, ended) for _ in range(CLIENTS)]
        try:
            for outage in outages:
                with outage:
                    began = time.monotonic()
                    while time.monotonic() - began < OUTAGE_SECONDS:
                        seconds.append(pull(client, next(fresh)))
                        time.sleep(0.25)
                seconds.append(pull(client, next(fresh)))
        finally:
            ended.set()
    assert all(each.result() for each in running), "every client has pulled"
    _LOG.warning("seconds of %d new pulls: %s", len(seconds), [round(each, 2) for each in sorted(seconds)])

    def is_back() -> bool:
        mark = regions.control.mark()
        pull(client, next(fresh))
        return regions.asked(mark) == (2, 0) and regions.asked(mark, "s3.layer") == (1, 0)

    wait_until(is_back, "the registry and its bucket are used again", seconds=30, pause_seconds=0.5)


def pull(client: Client, image: Image) -> float:
    """Pull a new image, and check it; how long that took."""
    began = time.monotonic()
    assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).body == image.manifest
    assert digest_of(client.get(f"{BLOBS}/{image.layers[0]}").body) == image.layers[0]
    return time.monotonic() - began


def slow_pulls(client: Client, regions: Regions, seeds: Iterator[int], ended: Event) -> int:
    """Pull one new layer after the other, at 2 MiB a second, until the end; how many."""
    pulled = 0
    while not ended.is_set():
        digest, found, size = regions.control.generated_layer(LAYER_BYTES, next(seeds)), hashlib.sha256(), 0
        with closing(client.open("GET", f"{BLOBS}/{digest}")) as connection:
            received = connection.getresponse()
            assert received.status == HTTPStatus.OK
            while part := received.read(MIB):
                size += len(part)
                found.update(part)
                time.sleep(0.5)
        # The first slice is sent while it is read.
        assert size < MIB or f"sha256:{found.hexdigest()}" == digest, size
        pulled += size == LAYER_BYTES
    return pulled
