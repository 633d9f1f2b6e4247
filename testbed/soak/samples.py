"""What was seen of a pod while layers were pulled through it."""

from dataclasses import dataclass, field

from testbed.soak.pods import Memory, Volume, note_peaks

MIB, GIB = 1 << 20, 1 << 30


@dataclass
class Samples:
    """What was seen while the layers were pulled.

    Attributes:
        idle_bytes: Anonymous and shared memory before.
        volumes: Each volume's largest size.
        memory: Bytes received so far, and anonymous and shared memory then.
    """

    idle_bytes: int
    volumes: dict[Volume, int]
    memory: list[tuple[int, int]] = field(default_factory=list)

    def take(self, received_bytes: int, memory: Memory) -> None:
        """One more."""
        self.memory.append((received_bytes, memory.unevictable_bytes()))
        note_peaks(self.volumes)

    def memory_figures(self) -> dict[str, float]:
        """Of anonymous and shared memory."""
        peak_bytes = max(size for _, size in self.memory)
        growth = self.growth_bytes_per_gib()
        return {"idle_bytes": self.idle_bytes, "peak_bytes": peak_bytes, "growth_bytes_per_gib": growth}

    def growth_bytes_per_gib(self) -> float:
        """How far memory rose after a tenth of the bytes, when every buffer was in use once, for each GiB of them."""
        last = self.memory[-1][0]
        early = [memory for received, memory in self.memory if received <= last / 10]
        late = [memory for received, memory in self.memory if received > last / 10]
        return (max(late) - max(early)) / (last * 0.9 / GIB) if early and late else 0
