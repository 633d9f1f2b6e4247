"""What a pod may request from one ECR registry, and what one client may take of it. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

_LONGEST_QUEUE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Budget:
    """Requests to one registry in one pod. What exceeds a rate waits; what exceeds a queue is refused.

    Attributes:
        rate: Of the whole pod, in requests per second.
    """

    rate: int
    client_queue: ClassVar[int] = 400
    """How many requests of one client may exceed its rate: a node that pulls 20 images of 15 layers at once sends 380,
    for each image HEAD, index, manifest, configuration and layers.
    """

    @property
    def at_once(self) -> int:
        """How many requests of the pod do not wait."""
        return max(1, self.rate // 8)

    @property
    def queue(self) -> int:
        """How many requests of the pod may exceed the rate."""
        return self.rate * _LONGEST_QUEUE_SECONDS

    @property
    def client_rate(self) -> int:
        """The share of one client, in requests per second: half of the pod's, the others have the rest."""
        return max(1, self.rate // 2)

    @property
    def wait_seconds(self) -> int:
        """The longest time that a request waits in both queues."""
        return ceil((self.client_queue - self.client_rate) / self.client_rate) + _LONGEST_QUEUE_SECONDS
