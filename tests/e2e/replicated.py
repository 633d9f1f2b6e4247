"""Images that ECR's replication has in both regions, and real clients that pull each of them once."""

import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from testbed.sandbox import pulls
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

NEW_LAYERS = (300_000, 40_000)
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Tagged:
    """An image that no client has pulled, and its tag."""

    tag: str
    image: Image


class Replicator:
    """Pushes to the registry, and does what ECR's replication does."""

    def __init__(self, publishers: Sequence[Publisher], repository: str) -> None:
        self._publishers, self._repository = publishers, repository

    def push(self, layers: Sequence[int] = NEW_LAYERS) -> Tagged:
        """Push an image with layers of random bytes of these sizes."""
        contents = [os.urandom(size) for size in layers]
        tag = secrets.token_hex(6)
        image, *_ = [publisher.image(self._repository, tag, contents) for publisher in self._publishers]
        return Tagged(tag, image)


@contextmanager
def replicating(world: World, control: Control) -> Iterator[Replicator]:
    """Logged in to both registries until the block ends."""
    trust = ssl.create_default_context(cafile=str(world.ca.certificate))
    places = ((world.ecr_host, world.region), (world.replica_host, world.replica_region))
    with httpx2.Client(verify=trust, trust_env=False) as client:
        publishers = [Publisher(client, host, control.issue_token(region).authorization) for host, region in places]
        yield Replicator(publishers, world.app_repository)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pull ended.

    Attributes:
        client: Which one.
        seconds: How long it took.
        lost: The last line of the client's message; empty where it pulled the image.
    """

    client: str
    seconds: float
    lost: str = ""


def _with_containerd(world: World, reference: str) -> str:
    """containerd checks what it stores; this is the digest that it found under the tag."""
    client = ("ctr", f"--address={world.containerd_socket}", "--namespace=new-pulls")
    run((*client, "content", "fetch", reference), environment=pulls.anonymous(world))
    listed = run((*client, "images", "ls", f"name=={reference}")).splitlines()[1]
    return next(word for word in listed.split() if word.startswith("sha256:"))


CLIENTS: dict[str, Callable[[World, str], str]] = {
    "crane": pulls.pull_with_crane,
    "skopeo": pulls.pull_with_skopeo,
    "containerd": _with_containerd,
}


def pull_all(world: World, images: Sequence[Tagged]) -> list[Ended]:
    """Pull each image once, some at a time, each with the next client; no client is started again."""

    def one(number: int, tagged: Tagged) -> Ended:
        client = list(CLIENTS)[number % len(CLIENTS)]
        began = time.monotonic()
        try:
            found = CLIENTS[client](world, f"{world.domain}/{world.app_repository}:{tagged.tag}")
        except SandboxError as error:
            return Ended(client, time.monotonic() - began, str(error).strip().splitlines()[-1])
        lost = "" if found == tagged.image.digest else f"another digest: {found}"
        return Ended(client, time.monotonic() - began, lost)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(len(images)), images))
