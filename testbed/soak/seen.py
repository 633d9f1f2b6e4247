"""What was seen beside an attack, and whether it was held off. Pure."""

from dataclasses import dataclass, field

OK = "ok"
SHARE_OF_MEMORY = 0.8
LEAST_UNCACHED = 0.99


@dataclass
class Pulls:
    """How requests of one kind ended, and how long the slowest took."""

    ended: dict[str, int] = field(default_factory=dict)
    slowest_seconds: float = 0

    def note(self, how: str, seconds: float) -> None:
        """One more."""
        self.ended[how] = self.ended.get(how, 0) + 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.ended.values())

    @property
    def share_ok(self) -> float:
        """How many of them were right; 0 without any."""
        return self.ended.get(OK, 0) / self.total if self.ended else 0


@dataclass
class Seen:
    """What the other clients got, and what the pod held.

    Attributes:
        cached: Whole pulls of one image.
        uncached: Whole pulls of new images, each begun in its turn.
        live: Liveness probes.
        ready: Readiness probes.
        peak_bytes: Anonymous and shared memory.
        kernel_peak_bytes: What the kernel holds for the pod.
    """

    cached: Pulls = field(default_factory=Pulls)
    uncached: Pulls = field(default_factory=Pulls)
    live: Pulls = field(default_factory=Pulls)
    ready: Pulls = field(default_factory=Pulls)
    peak_bytes: int = 0
    kernel_peak_bytes: int = 0

    def note_memory(self, held_bytes: int, kernel_bytes: int) -> None:
        """One more look at the pod."""
        self.peak_bytes = max(self.peak_bytes, held_bytes)
        self.kernel_peak_bytes = max(self.kernel_peak_bytes, kernel_bytes)

    def faults(self, limit_bytes: int, seconds: float) -> list[str]:
        """What other clients or the kubelet did not get, and memory that was too much."""
        found = [name for name in ("cached", "live", "ready") if getattr(self, name).share_ok < 1]
        if self.uncached.share_ok < LEAST_UNCACHED:
            found.append("uncached")
        if self.uncached.total < int(seconds):
            found.append("fewer than one uncached pull a second")
        if self.peak_bytes + self.kernel_peak_bytes >= SHARE_OF_MEMORY * limit_bytes:
            found.append("memory")
        return found


@dataclass
class Cost:
    """What ECR and S3 were asked for meanwhile.

    Attributes:
        ecr_requests: All of them.
        ecr_throttled: What ECR refused.
        hot_requests: Those for the image that is cached: to ECR for its digests, to S3 for its blobs.
        s3_bytes: Of the layers that the attack is about.
        most_s3_bytes: What it may cost; None: it is not about S3.
    """

    ecr_requests: int
    ecr_throttled: int
    hot_requests: int
    s3_bytes: int
    most_s3_bytes: float | None

    def faults(self) -> list[str]:
        """What it cost too much."""
        found = [name for name in ("ecr_throttled", "hot_requests") if getattr(self, name)]
        return found + (["s3_bytes"] if self.most_s3_bytes is not None and self.s3_bytes > self.most_s3_bytes else [])
