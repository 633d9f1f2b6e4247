"""The catalogue in the cluster, while a run changes it: one shard is in memory at a time. Pure over its port.

A change is one repository. A file that another writer has written meanwhile is read again and gets the same changes, so
neither a round nor an event undoes the other's work.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.catalogue import index as indexes
from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.entries import Repository
from lambda_fn.job.catalogue.index import Changes, Entry, Index
from lambda_fn.job.catalogue.ports import Store, Stored
from lambda_fn.job.catalogue.problems import Problems

_ATTEMPTS = 6
"""At most two instances write at once."""


@dataclass
class Library:
    """The catalogue as one run sees it.

    Args:
        store: The files.
        problems: Where to note a file that is not readable: it counts as empty, and is written anew.

    Attributes:
        changes: Of the index, which `close` writes.
        names: Everything that there is, as a round has found out; then what is neither there nor in the index
            leaves its shard. None: no round looked.
    """

    store: Store
    problems: Problems
    changes: Changes = field(default_factory=Changes)
    names: frozenset[str] | None = None
    _shard: int | None = None
    _repositories: dict[str, Repository] = field(default_factory=dict)
    _put: dict[str, Repository | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the index."""
        self.index = self._index(self.store.read(shards.INDEX_FILE))

    def repository(self, name: str) -> Repository:
        """What the catalogue has of a repository; its shard becomes the one in memory."""
        self._turn_to(shards.shard_of(name))
        return self._repositories.get(name, Repository(images=[]))

    def extent(self, name: str) -> shards.Extent:
        """How much of the repository to read."""
        return shards.EXTENTS[self._state(shards.shard_of(name)).extent]

    def put(self, name: str, repository: Repository, entry: Entry) -> None:
        """Replace a repository."""
        self._turn_to(shards.shard_of(name))
        self._put[name] = self._repositories[name] = repository
        self.changes.repositories[name] = entry

    def remove(self, name: str) -> None:
        """Remove a repository."""
        self._turn_to(shards.shard_of(name))
        self._put[name] = None
        self._repositories.pop(name, None)
        self.changes.repositories[name] = None

    def close(self, now: datetime) -> None:
        """Write what has changed.

        Raises:
            ClusterError: The API refuses or fails.
        """
        self._turn_to(None)
        if self.changes != Changes():
            self._write(shards.INDEX_FILE, lambda stored: indexes.encode(self.changes.to(self._index(stored)), now=now))

    def grow(self) -> None:
        """Let shards with room hold more from now on."""
        for number, state in enumerate(self.index.shards):
            if state.has_room:
                self.changes.shards[number] = shards.State(state.extent - 1, state.size_bytes)

    def _turn_to(self, shard: int | None) -> None:
        """Write the shard in memory if it has changed, and read another one."""
        if shard == self._shard:
            return
        if self._shard is not None and self._put:
            self._write_shard(self._shard)
        self._shard, self._put, self._repositories = shard, {}, {}
        if shard is not None:
            self._repositories = self._decoded(self.store.read(shards.file_of(shard)))

    def _write_shard(self, shard: int) -> None:
        def build(stored: Stored) -> bytes:
            merged = {**self._decoded(stored), **self._put}
            lost = self._lost({name for name, one in merged.items() if one is not None})
            kept = {name: one for name, one in merged.items() if one is not None and name not in lost}
            content, self.changes.shards[shard] = shards.encode(kept, self._state(shard))
            return content

        self._write(shards.file_of(shard), build)

    def _lost(self, names: set[str]) -> set[str]:
        """Those that only an index which was lost had. One that is in the index was made after the round looked."""
        if self.names is None or self.names.issuperset(names):
            return set()
        return names - self.names - self._index(self.store.read(shards.INDEX_FILE)).repositories.keys()

    def _write(self, file: str, build: Callable[[Stored], bytes]) -> None:
        for _ in range(_ATTEMPTS):
            stored = self.store.read(file)
            content = build(stored)
            if content == stored.content or self.store.write(file, content, version=stored.version):
                return
        raise ClusterError(
            f"{file} of the catalogue was written by another writer {_ATTEMPTS} times while this run wrote it. The "
            "schedule tries again. Fix: let no other tool write the catalogue's ConfigMaps"
        )

    def _state(self, shard: int) -> shards.State:
        return self.changes.shards.get(shard, self.index.shards[shard])

    def _index(self, stored: Stored) -> Index:
        try:
            return indexes.decode(stored.content)
        except ValueError as error:
            self.problems.note(f"the catalogue's index is not readable and is written anew: {error}")
            return Index()

    def _decoded(self, stored: Stored) -> dict[str, Repository]:
        try:
            return shards.decode(stored.content)
        except ValueError as error:
            self.problems.note(f"a shard of the catalogue is not readable and is written anew: {error}")
            return {}
