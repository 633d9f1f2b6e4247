"""Clients that warm the cache x clients that read it while ECR refuses connections x tag and digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import get_args

from rich.table import Table

from testbed.clients.client import Client
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from tests.clients.place import By, Image, answers, blobs, cached_keys

AWAY = Behaviour(registry_outage="refused")


@dataclass(frozen=True, slots=True)
class Cell:
    """One pull from a warm cache.

    Attributes:
        reason: Why it failed: the requests that the proxy refused, or else the client's last line; empty if it worked.
    """

    warmed_by: str
    read_by: str
    way: By
    reason: str

    @property
    def works(self) -> bool:
        """Whether the client has pulled the image."""
        return not self.reason


def row(pod: Pod, control: Control, image: Image, warming: Client, reading: Sequence[Client]) -> Sequence[Cell]:
    """Warm the new pod's cache by tag with one client; then, without ECR, read it with each client by tag and digest.

    Before each pull the cache holds exactly what the warming client has left.
    """
    assert cached_keys(pod) == frozenset()
    warming.forget()
    warmed = warming.pull(image.by("tag"))
    assert warmed.succeeded, warmed.output
    left = cached_keys(pod)
    assert left
    cells = []
    with control.behaving(AWAY):
        for client in reading:
            for way in get_args(By):
                assert cached_keys(pod) == left
                cells.append(Cell(warming.name, client.name, way, _failure(pod, client, image.by(way))))
    assert cached_keys(pod) == left
    return cells


def table(cells: Sequence[Cell]) -> Table:
    """One line for each client that warms, one column for each that reads: `tag digest`, each `ok` or the reason."""
    readers = list(dict.fromkeys(cell.read_by for cell in cells))
    drawn = Table("warmed by", *readers, title=_title(cells), show_lines=True)
    for warmed_by in dict.fromkeys(cell.warmed_by for cell in cells):
        found = {(cell.read_by, cell.way): cell for cell in cells if cell.warmed_by == warmed_by}
        drawn.add_row(warmed_by, *(_words(found, reader) for reader in readers))
    return drawn


def _failure(pod: Pod, client: Client, reference: str) -> str:
    """Pull; returns why it failed, or nothing."""
    client.forget()
    before = len(answers(pod))
    outcome = client.pull(reference)
    seen = answers(pod)[before:]
    if outcome.succeeded:
        assert blobs(seen), f"{client.name} has not pulled: {outcome.output}"
        return ""
    refused = (answer for answer in seen if answer["status"] >= HTTPStatus.BAD_REQUEST)
    lines = [f"{answer['method']} {_short(answer['path'])} {answer['status']}" for answer in refused]
    return ", ".join(dict.fromkeys(lines)) or outcome.output.strip().rpartition("\n")[2]


def _short(path: str) -> str:
    """The end of a path, with the beginning of a digest."""
    kind, reference = path.rsplit("/", 2)[1:]
    return f"{kind}/{reference[:14]}"


def _words(found: Mapping[tuple[str, By], Cell], reader: str) -> str:
    return "\n".join(f"{way}: {found[reader, way].reason or 'ok'}" for way in get_args(By) if (reader, way) in found)


def _title(cells: Sequence[Cell]) -> str:
    return f"{sum(cell.works for cell in cells)} of {len(cells)} pulls work while ECR refuses connections"
