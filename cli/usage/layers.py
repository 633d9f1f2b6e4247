"""Finds clients that were sent layers of a repository and none of its manifests. Pure; memory is bounded.

A layer is served to every client that knows its digest, also when the image is refused. So such a client may have the
digest from elsewhere. Or its pull began before the log or through another address, or it reads layers lazily.
"""

from collections import OrderedDict
from operator import itemgetter
from typing import NamedTuple

from cli.usage.distinct import hash_of

_WITH_MANIFEST = 2_000_000
"""A limit: of so many pairs of repository and client it is remembered, by a hash, that there was a manifest: 165 MB."""
_WITHOUT = 10_000
"""A limit: so many are listed, the last ones."""
LEAD_SECONDS = 3600
"""Manifests of this time before the period count, too: the layers of a pull follow its manifest."""

_Key = tuple[str, str]
"""A repository and a client."""


class Taken(NamedTuple):
    """What a client was sent of the layers of a repository.

    Attributes:
        last_at: The end of its last request, seconds since 1970.
    """

    last_at: float
    sent_bytes: int


class LayerClients:
    """Follows clients, by address, in each repository. The order of their requests does not matter.

    Attributes:
        has_all: Whether no client without a manifest was left out.
        has_others: Whether clients may be among them that got a manifest: there were too many to remember.
    """

    def __init__(self) -> None:
        self._with_manifest = set[int]()
        self._without: OrderedDict[_Key, Taken] = OrderedDict()
        self.has_all, self.has_others = True, False

    def manifest(self, repository: str, client: str) -> None:
        """A request for a manifest was answered, if only by HEAD: a client that resumes a pull has the rest."""
        self._without.pop((repository, client), None)
        hashed = _hash(repository, client)
        if len(self._with_manifest) < _WITH_MANIFEST:
            self._with_manifest.add(hashed)
        elif hashed not in self._with_manifest:
            self.has_others = True

    def layer(self, repository: str, client: str, taken: Taken) -> None:
        """Layers were sent, or the address of one in S3."""
        if _hash(repository, client) in self._with_manifest:
            return
        key = (repository, client)
        before = self._without.get(key, Taken(0.0, 0))
        self._without[key] = Taken(max(before.last_at, taken.last_at), before.sent_bytes + taken.sent_bytes)
        self._without.move_to_end(key)
        if len(self._without) > _WITHOUT:
            self._without.popitem(last=False)
            self.has_all = False

    def without_manifest(self) -> dict[str, list[tuple[str, Taken]]]:
        """The clients in each repository, the latest first."""
        found: dict[str, list[tuple[str, Taken]]] = {}
        for (repository, client), taken in sorted(self._without.items(), key=itemgetter(1), reverse=True):
            found.setdefault(repository, []).append((client, taken))
        return found

    @property
    def number(self) -> int:
        """How many clients there are, in all repositories."""
        return len({client for _, client in self._without})

    @property
    def is_exact(self) -> bool:
        """Whether they are all of them, and no others."""
        return self.has_all and not self.has_others


def _hash(repository: str, client: str) -> int:
    return hash_of(f"{repository} {client}")
