"""BuildKit by itself builds from an image at the front door; without ECR, from what a node has pulled."""

from collections.abc import Iterator
from typing import get_args

import pytest

from testbed.clients.buildkit import Buildkit
from testbed.clients.client import Client
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.matrix import row
from tests.clients.place import By, Image, blobs_of_a_pull

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def buildkit(world: World) -> Iterator[Buildkit]:
    with Buildkit.running(world) as client:
        yield client


@pytest.mark.parametrize("way", get_args(By))
def test_a_build_fetches_the_whole_base_image_each_time(buildkit: Buildkit, pod: Pod, app: Image, way: By) -> None:
    seen = [blobs_of_a_pull(buildkit, pod, app.by(way)) for _ in range(2)]
    assert len(seen[0]) == 4  # three layers and the configuration
    assert seen[0] == seen[1]


def test_a_build_from_an_index_fetches_the_image_of_its_platform(buildkit: Buildkit, pod: Pod, multi: Image) -> None:
    assert len(blobs_of_a_pull(buildkit, pod, multi.by("tag"))) == 2  # a layer and the configuration


def test_a_build_works_without_ecr_from_what_a_node_has_pulled(
    buildkit: Buildkit, clients: dict[str, Client], pod: Pod, app: Image, control: Control
) -> None:
    cells = row(pod, control, app, clients["containerd"], [buildkit])
    assert [(cell.way, cell.reason) for cell in cells] == [("tag", ""), ("digest", "")]


def test_what_a_build_has_left_every_other_client_can_pull_without_ecr(
    buildkit: Buildkit, clients: dict[str, Client], pod: Pod, app: Image, control: Control
) -> None:
    cells = row(pod, control, app, buildkit, list(clients.values()))
    assert len(cells) == 14
    assert [cell for cell in cells if not cell.works] == []
