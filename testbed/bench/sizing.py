"""How long nodes take to pull an image, and the memory that a pod needs for it, from what was measured. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.bench.samples import Samples
from testbed.bench.targets import COLD, CROWD, OURS, SHARED

DOWNLOADS = 3
"""Layers that containerd and docker pull at the same time, each over a connection of its own."""
MEASURED_PODS = 2
_CASES = (
    (100, 1.0, 2), (500, 1.0, 2), (500, 1.0, 10), (1000, 1.0, 4), (1000, 5.0, 4), (1000, 5.0, 20),
)  # fmt: skip
"""Nodes, image size in GB, and pods."""


@dataclass(frozen=True, slots=True)
class Row:
    """One deployment.

    Attributes:
        megabytes: Anonymous and shared memory of each pod.
        seconds: Until every node has the image.
    """

    nodes: int
    image_gigabytes: float
    pods: int
    megabytes: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of our proxy.

    Attributes:
        pod_gigabytes_per_second: What one of two pods gives a crowd whose clients are each limited to their share.
        base_megabytes: A pod's highest memory with 100,000 cached blobs.
        connection_megabytes: Of a slow TLS connection.
        growth_megabytes_per_gigabyte: While a client pulls a layer.
    """

    pod_gigabytes_per_second: float
    base_megabytes: float
    connection_megabytes: float
    growth_megabytes_per_gigabyte: float

    @classmethod
    def of(cls, samples: Samples) -> "Measured | None":
        """Those of a run; None where it did not measure one of them."""
        slow = "slow clients"
        found = [
            samples.spread(OURS, *about)
            for about in (
                (CROWD, SHARED, "gigabytes_per_second"),
                ("cached blobs", "100,000", "peak_megabytes"),
                (slow, next(iter(samples.cases(slow, "kilobytes_per_connection")), ""), "kilobytes_per_connection"),
                (*COLD, "growth_megabytes_per_gib"),
            )
        ]
        crowd, base, connection, growth = (spread.median if spread else None for spread in found)
        if crowd is None or base is None or connection is None or growth is None:
            return None
        return cls(crowd / MEASURED_PODS, base, connection / 1e3, growth * 1e9 / 2**30)

    def row(self, nodes: int, image_gigabytes: float, pods: int) -> Row:
        """The deployment of so many nodes and pods, all nodes pulling at the same time."""
        of_a_node = DOWNLOADS * self.connection_megabytes + image_gigabytes * self.growth_megabytes_per_gigabyte
        return Row(
            nodes,
            image_gigabytes,
            pods,
            self.base_megabytes + nodes / pods * of_a_node,
            nodes * image_gigabytes / (pods * self.pod_gigabytes_per_second),
        )


def rows(samples: Samples) -> Iterator[Row]:
    """The deployments that the document shows; none where a figure is missing."""
    if measured := Measured.of(samples):
        yield from (measured.row(*case) for case in _CASES)
