"""Adds up records: pulls, checks, clients, tags in use, bytes. Pure; memory grows with what the registry has alone."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from cli.usage.distinct import Distinct
from cli.usage.layers import LayerClients, Taken
from cli.usage.pulls import Chains, Request, Use
from cli.usage.records import SCHEMA, YEAR_9999, CheckedRecord, Record, checked
from lambda_fn.contract.media_types import INDEXES

_OUT_OF_ORDER = 20_000
"""How many records may come before one that is older: collectors send the lines of one pod after those of another."""
_SKEW_SECONDS = 0.005
"""Between the clocks of two nodes: below a millisecond with the Amazon Time Sync Service and chrony."""
LISTED_CLIENTS = 20
"""The clients that are listed for a tag or a digest: the last ones. Of more the number is not known."""
_SHARED_TEXTS = 100_000
PublicNames = Callable[[str, str], tuple[str, ...]]
"""Makes what clients call a repository, at least one name, of its ECR host and its name there."""
_SENT = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
_ANSWERED = _SENT | {HTTPStatus.NOT_MODIFIED, HTTPStatus.TEMPORARY_REDIRECT}


@dataclass(slots=True)
class NameUse:
    """The use of one tag, or of one digest that was asked for without a tag.

    Attributes:
        clients: The last ones, each with the time of its last use, seconds since 1970; the latest at the end.
    """

    pulls: int = 0
    checks: int = 0
    clients: dict[str, float] = field(default_factory=dict)

    def add(self, use: Use) -> None:
        """Note a pull or a check."""
        self.pulls += use.is_pull
        self.checks += use.check_change
        self.clients[use.client] = max(use.at, self.clients.pop(use.client, 0.0))
        if len(self.clients) > LISTED_CLIENTS:
            del self.clients[min(self.clients, key=self.clients.__getitem__)]

    @property
    def last(self) -> tuple[float, str]:
        """When it was used last, and the client."""
        client = max(self.clients, key=self.clients.__getitem__)
        return self.clients[client], client


@dataclass(slots=True)
class RepositoryUse:
    """The use of one repository.

    Attributes:
        sent_bytes: To clients.
        fetched_bytes: From ECR and S3; of a repository with several names, this one's share.
        clients: Those that have pulled or checked.
    """

    pulls: int = 0
    checks: int = 0
    sent_bytes: int = 0
    fetched_bytes: int = 0
    clients: Distinct = field(default_factory=Distinct)
    tags: dict[str, NameUse] = field(default_factory=dict)
    digests: dict[str, NameUse] = field(default_factory=dict)


class Tally:
    """What records come to.

    Args:
        since: Records of requests that ended before are left out; seconds since 1970.
        repository: Only this one's, unless None.
        public_names: What clients call a repository of ECR.

    Attributes:
        repositories: By name.
        begins_at: The time of the first record that was counted, and
        ends_at: of the last; None where there was none.
        earlier: How many records are older than what was asked for.
        layer_clients: Those that got no manifest, also before what was asked for.
        skipped: Records that could not be counted, by reason.
    """

    def __init__(
        self, *, since: float = 0.0, repository: str | None = None, public_names: PublicNames = lambda _, name: (name,)
    ) -> None:
        self._since, self._repository, self._public_names = since, repository, public_names
        self._chains = Chains()
        self._sent, self._fetched = Counter[str](), Counter[tuple[str, ...]]()
        self._clients: dict[str, str] = {}
        self.repositories: dict[str, RepositoryUse] = {}
        self.begins_at: float | None = None
        self.ends_at: float | None = None
        self.earlier = 0
        self.layer_clients = LayerClients()
        self.skipped = Counter[str]()

    def add_all(self, records: Iterable[Record]) -> None:
        """Count records, which are about in the order of their time."""
        for record in in_order(records):
            if record.get("schema") != SCHEMA:
                self.skipped["schema"] += 1
            elif (found := checked(record)) is None:
                self.skipped["incomplete"] += 1
            else:
                self._add(found)
        self._share_bytes()

    def replace_bytes(self, sums: Iterable[tuple[str, str, int]]) -> None:
        """Take bytes that were summed elsewhere: the ECR host (empty: to clients), repository and bytes each."""
        self._sent, self._fetched = Counter(), Counter()
        for host, named, number in sums:
            if host:
                self._fetched[self._public_names(host, named)] += number
            else:
                self._sent[named] += number
        self._share_bytes()

    def add_layers(self, sums: Iterable[tuple[str, str, Taken]]) -> None:
        """Count layers that were summed elsewhere: the repository, the client, and what it was sent."""
        for repository, client, taken in sums:
            if self._is_wanted(repository):
                self._of(repository)
                self.layer_clients.layer(repository, client, taken)

    def _share_bytes(self) -> None:
        """Give each repository its bytes.

        The log has the name that a client asked for, and of what was read from ECR and S3 the one in ECR: all names of
        a repository use what was fetched by any. So they share it as clients use them.
        """
        for found in self.repositories.values():
            found.sent_bytes = found.fetched_bytes = 0
        for name, number in self._sent.items():
            if self._is_wanted(name):
                self._of(name).sent_bytes = number
        for names, number in self._fetched.items():
            for name, share in shares(number, {name: self._sent[name] for name in names}).items():
                if share and self._is_wanted(name):
                    self._of(name).fetched_bytes += share

    def _add(self, record: CheckedRecord) -> None:
        ended_at = record.ended_at
        if ended_at < self._since:
            self.earlier += 1
            if _is_manifest(record) and self._is_wanted(record.repository):
                self.layer_clients.manifest(record.repository, record.client)
            return
        self.begins_at = min(ended_at, self.begins_at or ended_at)
        self.ends_at = max(ended_at, self.ends_at or ended_at)
        match record.server:
            case "front":
                self._add_request(record, ended_at)
            case "layers" | "ecr" if record.status in _SENT and record.cache != "HIT":
                # The path behind `front`: /HOST/v2/REPOSITORY/blobs/DIGEST
                begin, _, end = record.path.partition("/v2/")
                named = end.rsplit("/", 2)[0]
                if named and record.bytes:
                    self._fetched[self._public_names(begin.rpartition("/")[2], named)] += record.bytes

    def _add_request(self, record: CheckedRecord, ended_at: float) -> None:
        name, client, agent = record.repository, record.client, record.user_agent
        status = record.status
        if not name:
            # A mirror has its prefix before it.
            if status == HTTPStatus.OK and record.path.endswith("/v2/"):
                self._chains.ping(client, agent, ended_at)
            return
        if status not in _ANSWERED:
            return
        self._sent[name] += record.bytes if status in _SENT else 0
        if not self._is_wanted(name):
            return
        found = self._of(name)
        tag, digest, media_type = record.tag, record.digest, record.media_type
        if _is_manifest(record):
            self.layer_clients.manifest(name, client)
            has_body = record.method == "GET" and status in _SENT
            begin = ended_at - record.seconds
            request = Request(begin, ended_at, client, agent, name, tag, digest, media_type, has_body)
            if use := self._chains.add(request):
                self._add_use(found, use)
        elif digest:
            self._chains.blob(client, agent, name, ended_at)
            if record.method == "GET" and status != HTTPStatus.NOT_MODIFIED:
                self.layer_clients.layer(name, client, Taken(ended_at, record.bytes))

    def _add_use(self, found: RepositoryUse, use: Use) -> None:
        found.pulls += use.is_pull
        found.checks += use.check_change
        found.clients.add(use.client)
        # Of each name the last clients are kept, which are the same for many names.
        if len(self._clients) == _SHARED_TEXTS:
            self._clients.clear()
        client = self._clients.setdefault(use.client, use.client)
        names, name = (found.tags, use.tag) if use.tag else (found.digests, use.digest)
        names.setdefault(name, NameUse()).add(use._replace(client=client))

    def _is_wanted(self, repository: str) -> bool:
        return self._repository in (None, repository)

    def _of(self, repository: str) -> RepositoryUse:
        found = self.repositories.get(repository)
        if found is None:
            found = self.repositories[repository] = RepositoryUse()
        return found


def _is_manifest(record: CheckedRecord) -> bool:
    """Whether a client was answered about a manifest.

    What nginx has matched says what it served. A path says it in many ways: `%6danifests/1`, `manifests/x/../1`.
    """
    is_named = record.tag or (record.digest and record.media_type)
    return bool(is_named and record.repository) and record.server == "front" and record.status in _ANSWERED


def shares(number: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A number shared out by weight, to the last unit; all of it for the first where no weight is above 0."""
    total, left, given = sum(weights.values()), number, dict[str, int]()
    for name, weight in weights.items():
        # Of what is left, so that the shares add up to the number.
        given[name] = left * weight // total if total else left
        left, total = left - given[name], total - weight if total else 0
    return given


def time_of(record: Record) -> float | None:
    """When the request ended, seconds since 1970; None for what is not a time, NaN among it."""
    ended_at = record.get("ended_at")
    return ended_at if isinstance(ended_at, float | int) and 0 < ended_at < YEAR_9999 else None


def merged(sources: Iterable[Iterable[Record]]) -> Iterator[Record]:
    """The records of several logs, merged by time. Each log is about in order, and so is the result."""
    return heapq.merge(*sources, key=_place)


def in_order(records: Iterable[Record]) -> Iterator[Record]:
    """The records in order, where they are out of it by at most `_OUT_OF_ORDER`."""
    waiting: list[tuple[float, int, Record]] = []
    for number, record in enumerate(records):
        entry = (_place(record), number, record)
        if len(waiting) < _OUT_OF_ORDER:
            heapq.heappush(waiting, entry)
        else:
            yield heapq.heappushpop(waiting, entry)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _place(record: Record) -> float:
    """The time of the request's end. What begins a chain is a little earlier, since the clocks of nodes differ."""
    ended_at = time_of(record)
    if ended_at is None:
        return 0.0
    if record.get("method") == "HEAD":
        return ended_at - 2 * _SKEW_SECONDS
    media_type = record.get("media_type")
    return ended_at - _SKEW_SECONDS if isinstance(media_type, str) and media_type in INDEXES else ended_at
