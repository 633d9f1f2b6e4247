"""What one client has pulled, every other client can pull while ECR is away."""

import pytest
from rich.console import Console

from testbed.clients.client import Client
from testbed.clients.kinds import KINDS, OWN_PLATFORM, WARMING
from testbed.sandbox.cloud.control import Control
from tests.clients.matrix import Cell, row, table
from tests.clients.place import Image, Places


def test_an_image_that_a_node_has_pulled_is_there_for_every_kind_of_client(
    places: Places, control: Control, app: Image, clients: dict[str, Client]
) -> None:
    with places.pod() as pod:
        cells = row(pod, control, app, clients["containerd"], [clients[name] for name in ("docker", "podman", "crane")])
    assert [cell for cell in cells if not cell.works] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_what_any_client_has_pulled_every_client_can_pull_without_ecr(
    places: Places, control: Control, app: Image, clients: dict[str, Client], capsys: pytest.CaptureFixture[str]
) -> None:
    cells: list[Cell] = []
    for warming in WARMING:
        with places.pod() as pod:
            cells += row(pod, control, app, clients[warming], list(clients.values()))
    with capsys.disabled():
        Console(width=180).print(table(cells))
    assert len(cells) == len(WARMING) * len(KINDS) * 2
    assert [cell for cell in cells if not cell.works] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("warming", WARMING)
def test_what_any_client_has_pulled_of_an_index_the_clients_of_one_platform_can_pull_without_ecr(
    places: Places, control: Control, multi: Image, clients: dict[str, Client], warming: str
) -> None:
    with places.pod() as pod:
        cells = row(pod, control, multi, clients[warming], [clients[name] for name in OWN_PLATFORM])
    assert [cell for cell in cells if not cell.works] == []


@pytest.mark.long
def test_an_index_that_was_pulled_with_all_its_platforms_is_there_for_every_client_without_ecr(
    places: Places, control: Control, multi: Image, clients: dict[str, Client]
) -> None:
    with places.pod() as pod:
        cells = row(pod, control, multi, clients["crane"], list(clients.values()))
    assert [cell for cell in cells if not cell.works] == []
