"""The attacks of `testbed.soak.hostile`, what each is about, and what is attacked. Pure."""

from dataclasses import dataclass, replace
from enum import Enum

from testbed.soak import attack_kinds

MIB = 1 << 20
SLICE_BYTES, SHORT_SLICE_BYTES = 4 * MIB, 256 << 10
ECR_REQUESTS_PER_SECOND = 40


@dataclass(frozen=True)
class Installation:
    """What is attacked.

    Attributes:
        settings: TOML that follows the table `[proxy]` of the sandbox's settings.
        tls: Whether its clients speak TLS.
        ecr_requests_per_second: What ECR allows; None: all.
        filled_bytes: What is pulled before, so that the cache is full.
    """

    settings: str
    tls: bool = False
    ecr_requests_per_second: int | None = None
    filled_bytes: int = 0


# With it nginx believes that a client has the address which it connects from.
_CLIENTS_ARE_KNOWN = '[proxy.exposure]\nkind = "service"\ntrusted_proxies = ["203.0.113.0/24"]\n'
PLAIN = Installation(_CLIENTS_ARE_KNOWN)
TLS = Installation("", tls=True)
SCARCE = Installation(
    f"ecr_requests_per_second = {ECR_REQUESTS_PER_SECOND}\n[proxy.cache]\nsize_gib = 1\n{_CLIENTS_ARE_KNOWN}",
    ecr_requests_per_second=ECR_REQUESTS_PER_SECOND,
    filled_bytes=1280 * MIB,
)


class Hot(Enum):
    """Of the image that other clients pull all the time."""

    LAYER = "layer"
    TAG = "tag"


@dataclass(frozen=True)
class Layers:
    """Layers that no client has pulled."""

    number: int
    size_bytes: int


@dataclass(frozen=True)
class Bound:
    """What an attack may cost at S3: so many bytes for each answer, of which so many are given.

    Attributes:
        bytes_each: For one answer.
        at_once: Answers that do not wait.
        a_second: Answers in each second.
    """

    bytes_each: int
    at_once: int
    a_second: int

    def most_bytes(self, seconds: float) -> float:
        """In so much time."""
        return self.bytes_each * (self.at_once + self.a_second * seconds)


@dataclass(frozen=True)
class Case:
    """One attack, of connections that are held (`connections`) or of requests at a rate (`rate`).

    Attributes:
        title: For the report.
        kind: Of `attack_kinds` or `flood_requests`.
        connections: How many it tries to hold.
        streams: Of each connection.
        rate: Requests in each second.
        about: What it requests.
        installation: What it attacks.
        bound: What it may cost at S3; None: it is not about S3.
    """

    title: str
    kind: str
    connections: int = 0
    streams: int = 0
    rate: int = 0
    about: Hot | Layers = Hot.LAYER
    installation: Installation = PLAIN
    bound: Bound | None = None

    @property
    def holds_connections(self) -> bool:
        """Whether it is one of `attack_kinds`."""
        return self.kind in attack_kinds.KINDS

    @property
    def size(self) -> str:
        """How large it is, in words."""
        if not self.holds_connections:
            return f"{self.rate} requests/s"
        streams = f", {self.streams} streams each" if self.streams else ""
        return f"{self.connections:,} connections{streams}"

    def smaller(self, part: int) -> "Case":
        """With one of so many connections or requests."""
        return replace(self, connections=self.connections // part, rate=self.rate // part)


_GIGABYTE = Layers(1, 1_000_000_000)
_LARGE = Layers(3, 2048 * MIB)
_MANY = Layers(64, 32 * MIB)
_SMALL = Layers(16, MIB)

CASES = (
    Case("idle connections", "idle", 17_000),
    Case("kept alive", "kept-alive", 17_000),
    Case("unfinished headers", "unfinished-header", 17_000),
    Case("GETs with a body", "body", 17_000),
    Case("unfinished headers of 7 kB", "7k-header", 17_000),
    Case("headers of 24 kB", "24k-header", 15_000),
    Case("bodies of 4 MB, not read", "unread-body", 400),
    Case("ranges of 1 GB, not read", "unread-range", 400, about=_GIGABYTE),
    Case("layers of 2 GiB, not read", "unread-body", 400, about=_LARGE),
    # The rest of a piece before the offset, a slice that is read, eight in flight, and eight more (R35).
    Case("aborted pulls", "aborted-pulls", rate=5, about=_LARGE, bound=Bound(33 * SLICE_BYTES, 5, 5)),
    Case("HTTP/2, not read", "unread-streams", 90, 120, installation=TLS),
    Case("HTTP/2, not read", "unread-streams", 90, 16, installation=TLS),
    Case("HTTP/2, not ended", "unended-streams", 90, 120, installation=TLS),
    Case("missing digests and tags, lists", "missing", rate=300, installation=SCARCE),
    Case("made-up repositories", "made-up-names", rate=300, installation=SCARCE),
    Case("HEADs of uncached layers", "heads", rate=300, about=_SMALL, installation=SCARCE),
    Case("another `Accept` each time", "accepts", rate=300, about=Hot.TAG, installation=SCARCE),
    # 50 a second, after 200 at once (R79).
    Case(
        "ranges of one byte",
        "one-byte-ranges",
        rate=300,
        about=_MANY,
        installation=SCARCE,
        bound=Bound(SHORT_SLICE_BYTES, 260, 50),
    ),
)
