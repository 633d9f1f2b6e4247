"""Finds clients that were sent layers of a repository and none of its manifests. Pure; memory is bounded.

A layer is served to every client that knows its digest, also when the image is refused. So such a client may have the
digest from elsewhere. Or its pull began before the log or through another address, or it reads layers lazily.
"""

from collections import OrderedDict
from operator import itemgetter
from typing import NamedTuple

_WITH_MANIFEST = 100_000
"""A limit: of so many clients and repositories it is remembered that there was a manifest."""
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
        is_exact: Whether there were no more than the limits.
    """

    def __init__(self) -> None:
        self._with_manifest: OrderedDict[_Key, None] = OrderedDict()
        self._without: OrderedDict[_Key, Taken] = OrderedDict()
        self.is_exact = True

    def manifest(self, repository: str, client: str) -> None:
        """A request for a manifest was answered, if only by HEAD: a client that resumes a pull has the rest."""
        key = (repository, client)
        self._without.pop(key, None)
        self._with_manifest[key] = None
        self._with_manifest.move_to_end(key)
        self._trim(self._with_manifest, _WITH_MANIFEST)

    def layer(self, repository: str, client: str, taken: Taken) -> None:
        """Layers were sent, or the address of one in S3."""
        key = (repository, client)
        if key in self._with_manifest:
            self._with_manifest.move_to_end(key)
            return
        before = self._without.get(key, Taken(0.0, 0))
        self._without[key] = Taken(max(before.last_at, taken.last_at), before.sent_bytes + taken.sent_bytes)
        self._without.move_to_end(key)
        self._trim(self._without, _WITHOUT)

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

    def _trim(self, found: OrderedDict[_Key, None] | OrderedDict[_Key, Taken], limit: int) -> None:
        if len(found) > limit:
            found.popitem(last=False)
            self.is_exact = False
