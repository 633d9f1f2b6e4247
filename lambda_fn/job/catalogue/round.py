"""Brings the catalogue up to what ECR has: after events at once, and everything in rounds. Pure over its ports.

A round reads every repository of the allow-list, shard by shard, in as many runs as it takes: each run ends in time and
leaves in the index where the next one continues.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import Image
from lambda_fn.contract.times import instant_text
from lambda_fn.job.catalogue import entries, shards, signatures
from lambda_fn.job.catalogue.details import Reader
from lambda_fn.job.catalogue.entries import Details, Repository
from lambda_fn.job.catalogue.index import Entry, Round
from lambda_fn.job.catalogue.library import Library
from lambda_fn.job.catalogue.ports import (
    DeniedError,
    Images,
    Listed,
    RepositoryGoneError,
    SlowError,
    Store,
    ThrottledError,
    UnreachableError,
)
from lambda_fn.job.catalogue.problems import Problems
from lambda_fn.job.catalogue.shards import Extent
from lambda_fn.job.ports import WRITE_SECONDS, Clock
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.routing import Routing, Served

ROUND_EVERY = timedelta(hours=1)
"""ECR records the time of a pull once in 24 hours, and events tell at once of what comes and goes. After a round with
gaps, and after other settings, the next run starts one.
"""
WORK_SECONDS = 40.0
"""A run reads until then. The rest of its minute is for the repository under way and for the writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did.

    Attributes:
        repositories: How many it read.
        manifests: How many it read.
        removed: How many repositories it removed.
        left: How many repositories the round, or the events, still have to read.
        behind_since: When the first round started since the last complete one; None after a complete one.
        ended_at: When a round was complete last.
        is_first: Whether the current or last round is the first one since the last complete one.
        reduced: The shards without all labels and tags, with what they hold.
        problems: One line for each kind.
    """

    repositories: int
    manifests: int
    removed: int
    left: int
    behind_since: datetime | None
    ended_at: datetime | None
    is_first: bool
    reduced: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def age(self, now: datetime) -> timedelta | None:
        """How long ago a round was complete. Before one was: how long ago the first one started, unless it advances.

        A later one that advances was preceded by one with gaps, so that its catalogue still lacks something.
        """
        if self.ended_at is None and self.is_first and self.repositories:
            return timedelta()
        since = self.ended_at or self.behind_since
        return now - since if since else None

    def to_json(self) -> dict[str, Any]:
        """For the log."""
        return {
            "repositories": self.repositories,
            "manifests": self.manifests,
            "removed": self.removed,
            "left": self.left,
            "ended_at": instant_text(self.ended_at) if self.ended_at else None,
            "reduced": list(self.reduced),
        }


@dataclass
class Run:
    """One run: it brings the catalogue up to what ECR has, as far as its time goes.

    Args:
        routing: The routes of the settings. The catalogue has the names of clients.
        images: ECR.
        store: The catalogue in the cluster.
        clock: The time, and how much of it is left.
        findings: Whether to say how many findings ECR's scans have.
        refused: The images that pods refuse since ECR deleted them.
        look_again: Has pods refuse those of these images that ECR does not have, and no other. False where ECR does not
            say.
    """

    routing: Routing
    images: Images
    store: Store
    clock: Clock
    findings: bool
    refused: Collection[Image] = ()
    look_again: Callable[[Sequence[Image]], bool] = lambda _: True
    _problems: Problems = field(default_factory=Problems)
    _silent: set[str] = field(default_factory=set)
    _read: int = 0
    _removed: int = 0
    _has_gaps: bool = False
    _is_denied: bool = False
    _is_fresh: bool = False

    def __post_init__(self) -> None:
        """Read the index, and set when the run stops reading repositories."""
        work = timedelta(seconds=min(WORK_SECONDS, self.clock.remaining_seconds() - WRITE_SECONDS))
        self._ends_at = self.clock.now() + work
        self._library = Library(self.store, self._problems)
        self._reader = Reader(self.images, self._problems)

    def update(self, repositories: Iterable[str]) -> Report:
        """Read these repositories: an event has named them.

        Raises:
            ClusterError: The catalogue cannot be read or written.
        """
        named = _in_order(set(repositories))
        left = self._read_all(named)
        self._library.changes.pending = left
        return self._close(left)

    def continue_round(self) -> Report:
        """Read what events left, and as much of the round as there is time for; start one where it is time.

        Raises:
            ClusterError: The catalogue cannot be read or written.
        """
        self._is_fresh = True
        known = self._library.index.repositories
        # A pattern that left the allow-list takes its repositories along at once.
        left = self._read_all(name for name in known if self.routing.find(name) is None)
        left += self._read_all(_in_order(set(self._library.index.pending)))
        state = self._state()
        if state.after is not None:
            after = state.after
            self._library.names = frozenset(self._names())
            todo = [name for name in _in_order(self._library.names) if _key(name) > after]
            remaining = self._read_all(todo)
            done = todo[: len(todo) - len(remaining)]
            after = _key(done[-1]) if done else after
            # Where all is denied, the catalogue is empty.
            is_empty = not remaining and self._is_denied and not (self._read or self._library.index.repositories)
            has_gaps = state.has_gaps or self._has_gaps or is_empty
            state = replace(state, after=after if remaining else None, has_gaps=has_gaps)
            if not remaining and not has_gaps:
                state = replace(state, ended_at=self.clock.now(), behind_since=None)
            self._library.changes.round = state
            left += remaining
        elif self._has_gaps:
            # An event's repository was skipped.
            self._library.changes.round = replace(state, has_gaps=True)
        return self._close(left)

    def _state(self) -> Round:
        """The round under way, a new one where it is time, or else the last one.

        What a round with gaps lacks does not wait for an hour: the next run starts another one. Nor do findings that
        are no longer allowed and repositories that are newly allowed: a round with other settings starts anew.
        """
        now, state = self.clock.now(), self._library.index.round
        same = replace(state, findings=self.findings, routes=self.routing.digest)
        due = state.started_at is None or state.has_gaps or now - state.started_at >= ROUND_EVERY
        if state == same and (state.after is not None or not due):
            return state
        self._library.grow()
        since = state.behind_since if state == same and state.behind_since else now
        return replace(same, started_at=now, after="", has_gaps=False, behind_since=since)

    def _names(self) -> set[str]:
        """What the round has to read: what ECR has of the allow-list, and what the catalogue has beside it."""
        names = set(self._library.index.repositories)
        listed: dict[str, Registry] = {}
        for registry in self.routing.registries:
            names |= {route.pattern for route in registry.routes if route.is_exact}
            if not all(route.is_exact for route in registry.routes):
                listed.setdefault(registry.host, registry)
        for registry in listed.values():
            names |= self._listed(registry)
        return {name for name in names if self.routing.find(name)}

    def _listed(self, registry: Registry) -> set[str]:
        place = registry.account, registry.region
        try:
            return {
                served.public_name
                for name in self.images.repositories(registry)
                for served in self.routing.shown(*place, name)
            }
        except RegistryError as error:
            self._problems.note(str(error))
            self._has_gaps = True
            return set()

    def _read_all(self, names: Iterable[str]) -> list[str]:
        """Read repositories while there is time; returns those that are left.

        One that is too large for what is left of a run, or for which ECR throttles, is left to the next run, and
        skipped where it was the first of a run: then the round has a gap.
        """
        left = list(names)
        while left and self.clock.now() < self._ends_at:
            name = left.pop(0)
            try:
                self._update(name)
            except (ThrottledError, SlowError) as error:
                self._ends_at = self.clock.now()
                if self._is_fresh or isinstance(error, ThrottledError):
                    self._problems.note(str(error), name)
                if not self._is_fresh:
                    left.insert(0, name)
                    break
                self._has_gaps = True
            self._is_fresh = False
            self._library.changes.read.add(name)
        return left

    def _update(self, name: str) -> None:
        """Bring one repository up to date; what cannot be read stays as it was.

        Raises:
            ThrottledError: Nothing more is to be asked.
            SlowError: Likewise.
        """
        served = self.routing.find(name)
        if served is None:
            self._remove(name)
        elif served.registry.host not in self._silent:
            try:
                self._put(served)
            except RepositoryGoneError:
                if self._settle(served, listed=()):
                    self._remove(name)
            except (ThrottledError, SlowError):
                raise
            except RegistryError as error:
                self._problems.note(str(error), name)
                if isinstance(error, UnreachableError):
                    self._silent.add(served.registry.host)
                # The owner of another account may allow pulls alone.
                if isinstance(error, DeniedError):
                    self._is_denied = True
                else:
                    self._has_gaps = True

    def _remove(self, name: str) -> None:
        if name in self._library.index.repositories:
            self._library.remove(name)
            self._removed += 1

    def _settle(self, served: Served, *, listed: Sequence[Listed]) -> bool:
        """Have pods serve what ECR lists, and refuse what only the catalogue has, before the catalogue forgets it.

        ECR sends events on a best effort basis, and does not say that it sends them for the images of a repository
        that is deleted with them, nor for each manifest that it imports.

        Returns:
            False where the next round has to ask again.
        """
        name, host = served.public_name, served.registry.host
        known, in_ecr = entries.digests(self._library.repository(name)["images"]), {image.digest for image in listed}
        place = host, served.ecr_name
        refused = {image.digest for image in self.refused if (image.host, image.repository) == place}
        doubtful = sorted((known - in_ecr - refused) | (refused & in_ecr))
        if not doubtful or self.look_again([Image(*place, digest) for digest in doubtful]):
            return True
        self._problems.note("ECR does not say whether it has images that its list and the hints differ about", name)
        return False

    def _put(self, served: Served) -> None:
        name = served.public_name
        images = self.images.images(served.registry, served.ecr_name)
        if not self._settle(served, listed=images):
            return
        known, extent = self._library.repository(name)["images"], self._library.extent(name)
        chosen = entries.newest(images, extent.tags)
        details = entries.remembered(known)
        details |= self._reader.read(served, _unread(chosen, details, extent))
        sizes = {image.digest: image.size_bytes for image in images}
        signed = signatures.find(images)
        built = [
            entries.build(
                image if self.findings else replace(image, findings={}), tags, details.get(image.digest), sizes, signed
            )
            for image, tags in chosen
        ]
        entry = Entry(entries.count_tags(images), built[0]["pushed_at"] if built else None)
        self._library.put(name, Repository(images=built), entry)
        self._read += 1

    def _close(self, left: list[str]) -> Report:
        self._library.close(self.clock.now())
        index = self._library.changes.to(self._library.index)
        return Report(
            repositories=self._read,
            manifests=self._reader.manifests,
            removed=self._removed,
            left=len(left),
            behind_since=index.round.behind_since,
            ended_at=index.round.ended_at,
            is_first=index.round.behind_since == index.round.started_at,
            reduced=tuple(
                f"shard {number}: {shards.EXTENTS[state.extent]}"
                for number, state in enumerate(index.shards)
                if state.extent
            ),
            problems=self._problems.texts(),
        )


def _unread(
    chosen: Iterable[tuple[Listed, Sequence[str]]], known: Mapping[str, Details], extent: Extent
) -> Iterator[str]:
    """The digests whose manifests have to be read, for what is not known of them."""
    tags_before = 0
    for image, tags in chosen:
        details = known.get(image.digest)
        if details is None or not details.has(labels=tags_before < extent.labels, digests=extent.digests):
            yield image.digest
        tags_before += len(tags)


def _key(name: str) -> str:
    """Its place in a round: shard by shard."""
    return f"{shards.shard_of(name):02d} {name}"


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=_key)
