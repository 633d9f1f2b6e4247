"""The fetchers of the stargz and SOCI snapshotters read parts of a layer."""

import hashlib
import random
from collections.abc import Sequence
from http import HTTPStatus
from typing import get_args

import pytest

from testbed.clients.reading import Snapshotter, read
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import Image, answers

MIB = 1 << 20
CONTENT = Generated(64 * MIB - 777, seed=11)
CHANCE = random.Random(3)  # noqa: S311 - not a secret
READS = [(CHANCE.randrange(CONTENT.size_bytes - 120_000), 120_000) for _ in range(20)]
AWAY = Behaviour(registry_outage="refused", s3_outage="refused")


@pytest.fixture
def digest(control: Control) -> str:
    return control.generated_layer(CONTENT.size_bytes, CONTENT.seed)


def sums(parts: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What a reader has to get."""
    return tuple(hashlib.sha256(CONTENT.part(offset, offset + length)).hexdigest() for offset, length in parts)


@pytest.mark.usefixtures("pod")
@pytest.mark.parametrize("snapshotter", get_args(Snapshotter))
def test_scattered_reads_cost_s3_at_most_five_times_their_bytes_and_then_nothing(
    world: World, control: Control, app: Image, digest: str, snapshotter: Snapshotter
) -> None:
    mark = control.mark()
    found = read(world, snapshotter, app.repository, digest, READS)
    assert (found.size, found.sha256) == (CONTENT.size_bytes, sums(READS))
    assert control.requests(mark).sent_bytes("s3.layer") <= 5 * 20 * 120_000
    with control.behaving(AWAY):
        assert read(world, snapshotter, app.repository, digest, READS).sha256 == sums(READS)


def test_a_read_of_several_ranges_falls_back_to_one(world: World, pod: Pod, app: Image, digest: str) -> None:
    """The chunk in the middle is in the snapshotter's cache, so it asks for what is on both sides of it."""
    parts = [(50_000, 50_000), (0, 150_000)]
    assert read(world, "stargz", app.repository, digest, parts).sha256 == sums(parts)
    statuses = [line["status"] for line in answers(pod)]
    assert statuses.count(HTTPStatus.BAD_REQUEST) == 1
    assert statuses[-1] == HTTPStatus.PARTIAL_CONTENT
