"""How much is measured: sizes, rounds, seconds. Pure."""

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        rounds: How often everything is measured; the contestants take turns within a round.
        stream_rounds: The same for streams, which are short and vary most.
        layer_bytes: Size of each of the five layers of the image that is pulled.
        application_layer_bytes: The same for the image that docker, containerd and a crowd pull.
        small_bytes: The blob that is asked for as often as possible.
        medium_bytes: Blobs about as large as a socket's buffer.
        large_bytes: The blob of the coalescing and stream measures.
        huge_bytes: The larger blob of streams; 0 leaves it out.
        concurrent_clients: Numbers of clients that want one cold blob at once.
        coalescing_s3_bytes_per_second: What S3 gives to one connection while clients are coalesced, and in cold pulls.
        cold_bytes: The layer that a single client pulls cold; many clients pull one of `large_bytes`.
        cold_clients: Numbers of clients that pull one cold layer, beside as many direct pulls.
        load_seconds: How long one load of requests lasts.
        load_connections: Connections of a load.
        clients: Numbers of connections to grow through.
        cached_blobs: Numbers of cached blobs to grow through, ascending.
        crowd_clients: Clients of a crowd.
        slow_clients: Clients that read slowly over TLS, on one pod.
        slow_seconds: How long each of them stays; they come in half of it.
    """

    name: str
    rounds: int
    stream_rounds: int
    layer_bytes: int = 2 * MIB
    application_layer_bytes: int = 20_000_000
    small_bytes: int = 10_000
    medium_bytes: tuple[int, ...] = (64 * KIB, 96 * KIB, 127 * KIB)
    large_bytes: int = 100 * MIB
    huge_bytes: int = GIB
    concurrent_clients: tuple[int, ...] = (10, 50)
    coalescing_s3_bytes_per_second: int = 50_000_000
    cold_bytes: int = GIB
    cold_clients: tuple[int, ...] = (1, 50)
    load_seconds: int = 3
    load_connections: int = 32
    clients: tuple[int, ...] = (1, 4, 16, 64, 256)
    cached_blobs: tuple[int, ...] = (1_000, 10_000, 100_000)
    crowd_clients: int = 1000
    slow_clients: int = 3000
    slow_seconds: float = 20


FULL = Plan(name="full", rounds=3, stream_rounds=5)
ONCE = Plan(name="once", rounds=1, stream_rounds=3)
SHORT = Plan(
    name="short", rounds=1, stream_rounds=2, huge_bytes=0, concurrent_clients=(10,), cold_bytes=256 * MIB,
    load_seconds=1, clients=(1, 16, 256), cached_blobs=(1_000, 10_000), crowd_clients=100, slow_clients=300,
)  # fmt: skip
PUBLISHED = frozenset({FULL.name, ONCE.name})
"""Whose figures docs/performance.md shows: those that leave nothing out."""
PLANS = {plan.name: plan for plan in (FULL, ONCE, SHORT)}
