"""Where an attack takes place: a pod, an image that others pull all the time, and layers to attack it with."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.layer_server.server import LayerServer
from testbed.sandbox.world import World
from testbed.soak import new_images, other_clients
from testbed.soak.cases import Hot, Installation, Layers
from testbed.soak.front_door import REPOSITORY, serving_layers
from testbed.soak.new_images import NewImages, Tagged
from testbed.soak.other_clients import Door
from testbed.soak.pull import Pull
from testbed.soak.seen import OK
from testbed.soak.target import Target
from testbed.waiting import eventually

S3_BYTES_PER_SECOND = 50_000_000
"""Of each connection."""
HOT_LAYER_BYTES = 4_000_000
FILLING_BYTES = 256 << 20


@dataclass
class Ground:
    """See the module.

    Attributes:
        pod: That is attacked.
        door: Where the other clients connect to it.
        images: New ones.
        hot: The image that is cached.
        server: In S3's place.
        numbers: Of the attacks.
    """

    pod: Target
    door: Door
    images: NewImages
    hot: Tagged
    server: LayerServer
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _published: dict[Layers, list[str]] = field(default_factory=dict)

    def digests(self, layers: Layers) -> list[str]:
        """Of layers, which are published at first."""
        if layers not in self._published:
            self._published[layers] = [_published(self.server, layers.size_bytes) for _ in range(layers.number)]
        return self._published[layers]

    def paths(self, about: Hot | Layers) -> list[str]:
        """What an attack requests."""
        base = f"/v2/{REPOSITORY}"
        match about:
            case Hot.TAG:
                return [f"{base}/manifests/{self.hot.tag}"]
            case Hot.LAYER:
                return [f"{base}/blobs/{self.hot.image.layers[0]}"]
            case _:
                return [f"{base}/blobs/{digest}" for digest in self.digests(about)]

    def s3_requests(self, digests: list[str]) -> int:
        """How often S3 was asked for any of these so far."""
        return sum(self.server.counts(digest).requests for digest in digests)

    def s3_bytes(self, digests: list[str]) -> int:
        """What S3 has sent of these so far."""
        return sum(self.server.counts(digest).bytes for digest in digests)


@contextmanager
def prepared(world: World, pod: Target, installation: Installation) -> Iterator[Ground]:
    """Until the block ends, the layer server is in S3's place.

    Raises:
        SandboxError: The pod does not serve an image.
    """
    trust = ssl.create_default_context(cafile=str(world.ca.certificate)) if installation.tls else None
    door = Door(pod.address, world.domain, trust)
    with serving_layers(world) as s3, new_images.pushing(world, REPOSITORY, s3.server) as images:
        s3.server.set_rate(S3_BYTES_PER_SECOND)
        _fill(pod, s3.server, installation.filled_bytes)
        hot = images.push((HOT_LAYER_BYTES, *new_images.LAYER_BYTES))
        if not eventually(lambda: other_clients.pull(door, REPOSITORY, hot) == OK, seconds=30):
            raise SandboxError(f"{pod.address} does not serve a new image: {other_clients.pull(door, REPOSITORY, hot)}")
        yield Ground(pod, door, images, hot, s3.server)


def _fill(pod: Target, server: LayerServer, size_bytes: int) -> None:
    """Let the pod cache layers of so many bytes."""
    for _ in range(size_bytes // FILLING_BYTES):
        pull = Pull(f"/v2/{REPOSITORY}/blobs/{_published(server, FILLING_BYTES)}")
        if not eventually(partial(_is_whole, pull, pod.address), seconds=30):
            raise SandboxError(f"{pod.address} does not serve {pull.path}: {pull.error or pull.digest}")


def _is_whole(pull: Pull, address: str) -> bool:
    pull.run(address)
    return pull.is_whole


def _published(server: LayerServer, size_bytes: int) -> str:
    return server.publish(Control(), size_bytes, secrets.randbelow(2**31))
