"""Turns the requests of clients into pulls and checks. Pure.

One pull is one client's chain from a tag or a digest: HEAD by tag, GET by digest, GET of a platform's manifest and the
blobs. What it counts is the GET of the first manifest, as ECR does. A HEAD that no GET follows is a check.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from lambda_fn.contract.media_types import INDEXES

CHAIN_SECONDS = 60.0
"""From a HEAD to the GET of the same digest. One that comes later belongs to another pull."""
CHILD_SECONDS = 10.0
"""From the last answer of a chain to the request for the manifest of another platform: clients send it at once."""
_CONVERSATIONS = 100_000
"""A limit: so many clients are followed at once."""
_OPEN_INDEXES = 100
_OPEN_HEADS = 1000


class Request(NamedTuple):
    """A request for a manifest that was answered: 200, or 304 for a client that has it.

    Attributes:
        tag: As asked for; empty in a request by digest.
        digest: Of the answer; empty where ECR converted the manifest.
        has_body: A GET that was answered with the manifest.
    """

    started_at: float
    ended_at: float
    client: str
    agent: str
    repository: str
    tag: str
    digest: str
    media_type: str
    has_body: bool


class Use(NamedTuple):
    """A pull, or a check.

    Attributes:
        at: When it began, seconds since 1970.
        tag: That the chain began with; empty for one that began with a digest.
        is_pull: Whether a manifest was sent.
        was_check: Whether its HEAD has been returned as a check before.
    """

    at: float
    client: str
    repository: str
    tag: str
    digest: str
    is_pull: bool
    was_check: bool = False

    @property
    def check_change(self) -> int:
        """What it adds to the checks: a check that turns out to begin a pull is taken back."""
        if self.is_pull:
            return -1 if self.was_check else 0
        return 1


@dataclass(slots=True)
class _Head:
    at: float
    count: int


@dataclass(slots=True)
class _Index:
    """A pull of an image for several platforms."""

    digest: str
    manifest_at: float
    children: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Conversation:
    """What one client, by address and program, has requested of one repository in the last minute."""

    active_at: float
    heads: dict[tuple[str, str], _Head] = field(default_factory=dict)
    indexes: list[_Index] = field(default_factory=list)


class Chains:
    """Follows clients. Requests come in the order of their ends; memory is bounded by the clients of a minute."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[tuple[str, str, str], _Conversation] = OrderedDict()
        self._pings: OrderedDict[tuple[str, str], float] = OrderedDict()

    def ping(self, client: str, agent: str, at: float) -> None:
        """A request for `/v2/`, with which docker, podman, skopeo and crane begin each pull."""
        self._pings[client, agent] = at
        self._pings.move_to_end((client, agent))
        while len(self._pings) > _CONVERSATIONS:
            self._pings.popitem(last=False)

    def blob(self, client: str, agent: str, repository: str, ended_at: float) -> None:
        """A request for a blob: its pull goes on."""
        if found := self._conversations.get((client, agent, repository)):
            found.active_at = max(found.active_at, ended_at)

    def add(self, request: Request) -> Use | None:
        """The pull or check that begins with this request; None for one that belongs to a pull which has begun."""
        talk = self._conversation(request)
        if not request.has_body:
            self._note_head(talk, request)
            use = self._use(request, request.tag, is_pull=False)
        elif request.tag:
            head = self._take_head(talk, request, request.tag)
            use = self._use(request, request.tag, is_pull=True, head_at=head and head[1])
        elif head := self._take_head(talk, request):
            use = self._use(request, head[0], is_pull=True, head_at=head[1])
        elif self._is_child(talk, request):
            use = None
        else:
            use = self._use(request, "", is_pull=True)
        if use and use.is_pull and request.media_type in INDEXES:
            talk.indexes.append(_Index(request.digest, request.ended_at))
            del talk.indexes[:-_OPEN_INDEXES]
        talk.active_at = max(talk.active_at, request.ended_at)
        return use

    def _conversation(self, request: Request) -> _Conversation:
        key = (request.client, request.agent, request.repository)
        found = self._conversations.get(key)
        if found is None or request.started_at - found.active_at > CHAIN_SECONDS:
            found = self._conversations[key] = _Conversation(request.started_at)
        self._conversations.move_to_end(key)
        while len(self._conversations) > 1:
            oldest = next(iter(self._conversations.values()))
            if request.ended_at - oldest.active_at <= CHAIN_SECONDS and len(self._conversations) <= _CONVERSATIONS:
                break
            self._conversations.popitem(last=False)
        return found

    def _note_head(self, talk: _Conversation, request: Request) -> None:
        known = talk.heads.pop((request.digest, request.tag), None)
        count = known.count if known and request.started_at - known.at <= CHAIN_SECONDS else 0
        talk.heads[request.digest, request.tag] = _Head(request.ended_at, count + 1)
        # The oldest come first. A client that looks for updates asks for thousands of tags.
        while len(talk.heads) > _OPEN_HEADS:
            del talk.heads[next(iter(talk.heads))]

    def _take_head(self, talk: _Conversation, request: Request, tag: str | None = None) -> tuple[str, float] | None:
        """The tag and the time of the oldest HEAD of the last minute that was answered with this digest."""
        for (digest, its_tag), head in list(talk.heads.items()):
            if request.started_at - head.at > CHAIN_SECONDS:
                del talk.heads[digest, its_tag]
            elif digest == request.digest and tag in (None, its_tag):
                head.count -= 1
                if not head.count:
                    del talk.heads[digest, its_tag]
                return its_tag, head.at
        return None

    def _is_child(self, talk: _Conversation, request: Request) -> bool:
        """Whether this is the manifest of a platform, of an index that the client has pulled just before.

        The first one follows its index at once. A client that copies all platforms reads the blobs of one before it
        requests the next; one that begins another pull sends a ping or a HEAD, if it sends any.
        """
        if request.media_type in INDEXES:
            return False
        pinged_at = self._pings.get((request.client, request.agent), 0.0)
        open_indexes = [index for index in talk.indexes if request.digest not in index.children]
        for index in open_indexes:
            if not index.children and request.started_at - index.manifest_at <= CHILD_SECONDS:
                return self._has_child(index, request)
        for index in reversed(open_indexes):
            if (
                index.children
                and request.started_at - talk.active_at <= CHILD_SECONDS
                and pinged_at < index.manifest_at
            ):
                return self._has_child(index, request)
        return False

    def _has_child(self, index: _Index, request: Request) -> bool:
        index.children.add(request.digest)
        index.manifest_at = request.ended_at
        return True

    def _use(self, request: Request, tag: str, *, is_pull: bool, head_at: float | None = None) -> Use:
        at = request.ended_at if head_at is None else head_at
        was_check = head_at is not None
        return Use(at, request.client, request.repository, tag, request.digest, is_pull, was_check)
