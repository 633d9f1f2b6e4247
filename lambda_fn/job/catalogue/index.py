"""The index of the catalogue: every repository with its shard, and how far the rounds are. Pure.

{"schema": 1, "written_at": "..", "complete": true,
 "repositories": [{"name": "team/app", "shard": 3, "tags": 37, "pushed_at": ".."}],
 "shards": [{"bytes": 123456, "tags": 20, "labels": 20, "digests": true, "growth": 2.25}, ..],
 "round": {"started_at": "..", "after": "03 team/app", "ended_at": "..", "findings": false, "routes": "2b7e..",
           "has_gaps": false, "behind_since": null, "pending": ["team/new"]}}

`shards` says what each holds of a repository: less where it would not fit. `growth` and `round` are for the watcher
alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from lambda_fn.contract.objects import CATALOGUE_SHARDS
from lambda_fn.contract.times import instant_text, parse_instant
from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.shards import EXTENTS, UNKNOWN_GROWTH, Extent, State

MOST_PENDING = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One repository.

    Attributes:
        tags: How many it has in ECR, without those of signatures.
        pushed_at: When its newest image was pushed, as text; None where it has none.
    """

    tags: int
    pushed_at: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """How far the rounds are.

    Attributes:
        started_at: When the current or the last one started; None before the first.
        after: The key of the last repository that the current one has read; None where none is under way.
        ended_at: When one was complete last.
        findings: Whether the current or last one read findings.
        routes: The digest of the routes whose repositories the current or last one reads; empty where it is unknown.
        has_gaps: Whether the current or last one could not reach or list a registry, or skipped a repository: then it
            ends incomplete.
        behind_since: When the first one with these settings since the last complete one started; None after a complete
            one.
    """

    started_at: datetime | None = None
    after: str | None = None
    ended_at: datetime | None = None
    findings: bool = False
    routes: str = ""
    has_gaps: bool = False
    behind_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """The index.

    Attributes:
        repositories: By name.
        shards: What each shard holds.
        round: How far the rounds are.
        pending: Repositories with an event that no run has read since.
    """

    repositories: Mapping[str, Entry] = field(default_factory=dict)
    shards: tuple[State, ...] = (State(),) * CATALOGUE_SHARDS
    round: Round = Round()
    pending: tuple[str, ...] = ()


@dataclass
class Changes:
    """What a run changes, so that it can be made to whatever index is there when it is written.

    Attributes:
        repositories: New entries by name; None for one that is gone.
        shards: The state of each shard that was written.
        round: Where the round is now; None where the run left it alone.
        read: Repositories that are no longer pending.
        pending: Repositories that are pending now.
    """

    repositories: dict[str, Entry | None] = field(default_factory=dict)
    shards: dict[int, State] = field(default_factory=dict)
    round: Round | None = None
    read: set[str] = field(default_factory=set)
    pending: list[str] = field(default_factory=list)

    def to(self, index: Index) -> Index:
        """The index with the changes."""
        merged = {**index.repositories, **self.repositories}
        pending = dict.fromkeys([*(name for name in index.pending if name not in self.read), *self.pending])
        return replace(
            index,
            repositories={name: entry for name, entry in merged.items() if entry},
            shards=tuple(self.shards.get(n, state) for n, state in enumerate(index.shards)),
            round=self.round or index.round,
            pending=tuple(pending)[:MOST_PENDING],
        )


def encode(index: Index, *, now: datetime) -> bytes:
    """The index as a file, with as many repositories as fit: first without their instants, then without the last."""
    count, instants = len(index.repositories), True
    content = shards.pack(_document(index, now, count, instants=instants))
    while len(content) > shards.LARGEST_BYTES and count:
        count, instants = (count if instants else count * 3 // 4), False
        content = shards.pack(_document(index, now, count, instants=instants))
    return content


def decode(content: bytes | None) -> Index:
    """The index in a file; an empty one where there is no file yet.

    Raises:
        ValueError: It is not an index.
    """
    found = shards.unpack(content)
    if not found:
        return Index()
    try:
        state, parts = found["round"], found["shards"]
        if len(parts) != CATALOGUE_SHARDS:
            raise ValueError(f"it has {len(parts)} shards")
        if not isinstance(state["after"], str | None):
            raise ValueError("round.after is not a text")  # noqa: TRY004 - a wrong content, not a wrong call
        return Index(
            {one["name"]: Entry(int(one["tags"]), one.get("pushed_at")) for one in found["repositories"]},
            tuple(map(_state, parts)),
            Round(
                _instant(state, "started_at"),
                state["after"],
                _instant(state, "ended_at"),
                state["findings"],
                str(state.get("routes", "")),
                bool(state["has_gaps"]),
                _instant(state, "behind_since"),
            ),
            tuple(map(str, state["pending"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not an index: {type(error).__name__}") from error


def _document(index: Index, now: datetime, count: int, *, instants: bool) -> dict[str, Any]:
    state = index.round
    return {
        "schema": shards.SCHEMA,
        "written_at": instant_text(now),
        "complete": state.ended_at is not None,
        "repositories": [
            {"name": name, "shard": shards.shard_of(name), "tags": entry.tags}
            | ({"pushed_at": entry.pushed_at} if instants and entry.pushed_at else {})
            for name, entry in sorted(index.repositories.items())[:count]
        ],
        "shards": [
            {"bytes": each.size_bytes, **asdict(EXTENTS[each.extent]), "growth": each.growth} for each in index.shards
        ],
        "round": {
            "started_at": instant_text(state.started_at) if state.started_at else None,
            "after": state.after,
            "ended_at": instant_text(state.ended_at) if state.ended_at else None,
            "findings": state.findings,
            "routes": state.routes,
            "has_gaps": state.has_gaps,
            "behind_since": instant_text(state.behind_since) if state.behind_since else None,
            "pending": list(index.pending),
        },
    }


def _state(part: Mapping[str, Any]) -> State:
    extent = EXTENTS.index(Extent(part["tags"], part["labels"], part["digests"]))
    return State(extent, int(part["bytes"]), float(part.get("growth", UNKNOWN_GROWTH)))


def _instant(state: Mapping[str, Any], key: str) -> datetime | None:
    return parse_instant(state[key]) if state[key] else None
