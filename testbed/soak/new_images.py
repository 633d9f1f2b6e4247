"""Images that no client has pulled yet: ECR's double has their manifests, and the layer server their blobs."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.layer_server.server import LayerServer
from testbed.sandbox.world import World

CONFIGURATION_BYTES = 2_000
LAYER_BYTES = (3_000_000, 200_000)


@dataclass(frozen=True)
class Tagged:
    """An image, and its tag."""

    tag: str
    image: Image

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of configuration and layers."""
        return self.image.config, *self.image.layers


class NewImages:
    """Pushes them. Threads may share it."""

    def __init__(self, repository: str, publisher: Publisher, server: LayerServer) -> None:
        self.repository = repository
        self._publisher, self._server = publisher, server

    def push(self, layers: tuple[int, ...] = LAYER_BYTES) -> Tagged:
        """Push one with layers of these sizes."""
        configuration, *contents = (self._content(size) for size in (CONFIGURATION_BYTES, *layers))
        tag = secrets.token_hex(8)
        return Tagged(tag, self._publisher.image_of(self.repository, tag, configuration, contents))

    def _content(self, size_bytes: int) -> bytes:
        content = Generated(size_bytes, secrets.randbelow(2**31))
        self._server.add(f"sha256:{content.digest()}", content)
        return content.part(0, size_bytes)


@contextmanager
def pushing(world: World, repository: str, server: LayerServer) -> Iterator[NewImages]:
    """Log in to the private ECR until the block ends."""
    trust = ssl.create_default_context(cafile=str(world.ca.certificate))
    with httpx2.Client(verify=trust) as client:
        token = Control().issue_token(world.region)
        yield NewImages(repository, Publisher(client, world.ecr_host, token.authorization), server)
