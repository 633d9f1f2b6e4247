"""The numbers to reach, and whether they were. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.bench.samples import Samples, Spread

Figure = Callable[[Samples], Spread | None]
OURS, LIMIT, WHOLE_FILE, DIRECT = "frontdoor", "limit", "whole_file", "direct"
BLOB = "blob of 10 kB"

COALESCING = "coalescing"
COLD = ("cold pull", "1 client, 1 GiB")
CROWD, SHARED = "crowd", "each limited to its share"


@dataclass(frozen=True, slots=True)
class Target:
    """One number to reach.

    Attributes:
        bound: What the figure may be at most; at least, where `at_least` says so.
        unit: Behind the figure.
        worst: Whether every round has to reach it, not their median alone: for what is counted.
    """

    what: str
    bound: float
    figure: Figure
    unit: str = ""
    at_least: bool = False
    worst: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was measured; `met` is None where it was not measured."""

    target: Target
    measured: Spread | None

    @property
    def met(self) -> bool | None:
        """Whether the figure is within its bound."""
        if self.measured is None:
            return None
        if self.target.at_least:
            return (self.measured.low if self.target.worst else self.measured.median) >= self.target.bound
        return (self.measured.high if self.target.worst else self.measured.median) <= self.target.bound


def _ours(measure: str, case: str, metric: str) -> Figure:
    return lambda samples: samples.spread(OURS, measure, case, metric)


def _ratio(over: str, under: str, measure: str, case: str, metric: str) -> Figure:
    return lambda samples: samples.ratio((over, under), measure, case, metric)


TARGETS = (
    Target("ECR requests of a warm pull by digest", 0, _ours("pull", "warm, by digest", "ecr_requests"), worst=True),
    Target("ECR requests of a warm pull by tag", 1, _ours("pull", "warm, by tag, later", "ecr_requests"), worst=True),
    Target("10 clients, cold 100 MiB: ECR requests", 1, _ours(COALESCING, "10 clients", "ecr_requests"), worst=True),
    Target("the same: bytes from S3, times the blob", 1, _ours(COALESCING, "10 clients", "s3_bytes_ratio"), worst=True),
    Target(
        "the same: first byte of the last client", 1, _ours(COALESCING, "10 clients", "first_byte_last_seconds"), " s",
        worst=True,
    ),
    Target(
        "1 client, cold 1 GiB, 50 MB/s for each S3 connection: time, times a direct pull's", 0.17,
        _ratio(OURS, DIRECT, *COLD, "seconds"), "x",
    ),
    Target("the same: bytes from S3, times the layer", 1.01, _ours(*COLD, "s3_bytes_ratio"), worst=True),
    Target("the same: growth of anonymous and shared memory", 4.2, _ours(*COLD, "growth_megabytes_per_gib"), " MB"),
    Target(
        "50 clients, cold 100 MiB: end of the last, times direct pulls'", 1,
        _ratio(OURS, DIRECT, "cold pull", "50 clients, 100 MiB", "seconds"), "x",
    ),
    Target(
        "warm 1 kB blobs, ECR as fast as nginx: requests/s, times those of the caching proxy", 10,
        _ratio(OURS, WHOLE_FILE, "cached blobs", "1,000", "requests_per_second"), "x", at_least=True,
    ),
    Target(
        "warm 10 kB blob: requests/s of the limit, times ours", 1.25,
        _ratio(LIMIT, OURS, "requests", BLOB, "requests_per_second"), "x",
    ),
    Target("1,000 clients, two pods, each limited to its share: bytes a second, times those without limits", 0.8,
           _ours(CROWD, SHARED, "share_of_unshaped"), "x", at_least=True),
    Target("the same: time of a client, p99 to p50", 1.8, _ours(CROWD, SHARED, "finish_p99_to_p50"), "x"),
    Target("the same: failures", 0, _ours(CROWD, SHARED, "failures"), worst=True),
    Target("the same, five layers cold: ECR requests", 16, _ours(CROWD, SHARED, "ecr_requests"), worst=True),
    Target("the same: bytes from S3, times pods and image", 1.001, _ours(CROWD, SHARED, "s3_bytes_ratio"), worst=True),
    Target(
        "warm 100 MiB, one stream: time, times the limit's", 1.3,
        _ratio(OURS, LIMIT, "streams", "100 MiB, 1 stream", "seconds"), "x",
    ),
)  # fmt: skip


def verdicts(samples: Samples) -> list[Verdict]:
    """Every target beside what was measured."""
    return [Verdict(target, target.figure(samples)) for target in TARGETS]
