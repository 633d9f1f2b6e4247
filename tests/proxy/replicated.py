"""The same images in two regions, and how many requests each of them gets."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World

REPOSITORY = "team/app"
MANIFESTS, BLOBS = f"/v2/{REPOSITORY}/manifests", f"/v2/{REPOSITORY}/blobs"
LAYER_BYTES = 3_500_000
"""Four slices."""


def replica_of(world: World, *, tags: str = "any") -> str:
    """Lines of the first registry's settings."""
    return f"""tags = "{tags}"
        [[registries.replicas]]
        account = "{world.account}"
        region = "{world.replica_region}"
        """


@dataclass(frozen=True)
class Regions:
    """The registry and its replica."""

    world: World
    control: Control
    registry: Publisher
    replica: Publisher

    def push(self, tag: str = "", *, size_bytes: int = LAYER_BYTES) -> Image:
        """Push a new image, which is replicated at once."""
        layers = [secrets.token_bytes(size_bytes)]
        image = self.registry.image(REPOSITORY, tag or secrets.token_hex(8), layers)
        tag = tag or image.digest
        assert self.replica.image(REPOSITORY, tag, layers) == image
        return image

    @contextmanager
    def failing(self, **faults: object) -> Iterator[None]:
        """The registry's region fails like this."""
        with self.control.behaving(Behaviour.model_validate({"region": self.world.region, **faults})):
            yield

    def asked(self, mark: int, kind: str = "registry") -> tuple[int, int]:
        """How many requests the first region has got since a mark, and how many the other one."""
        entries = self.control.requests(mark).of(kind)
        of_replica = sum(self.world.replica_region in entry.host for entry in entries)
        return len(entries) - of_replica, of_replica
