"""The front door that the soak loads, installed anew, and layers as fast as this machine makes their bytes."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.layer_server.server import LayerServer, serving
from testbed.sandbox.progress import step
from testbed.sandbox.world import World

REPOSITORY = "team/soak"
_SMALL_LAYER_BYTES = 1 << 20


@dataclass(frozen=True)
class Layers:
    """Layers that no client has pulled: ECR's double redirects to them, and the layer server sends them."""

    control: Control
    server: LayerServer

    def path(self, size_bytes: int) -> str:
        """The path of one more; a second for each GiB, which is hashed."""
        digest = self.server.publish(self.control, size_bytes, secrets.randbelow(2**31))
        return f"/v2/{REPOSITORY}/blobs/{digest}"


def install(world: World, cache_gib: int, memory_limit: str = "") -> None:
    """Install it with a cache of this size, and let AWS behave like a healthy one.

    Args:
        world: The sandbox.
        cache_gib: Size of the blob cache.
        memory_limit: Of the container; empty: the charts'.

    Raises:
        SandboxError: The Lambda fails.
    """
    Control().reset()
    invocation = installation.install(world, f"[proxy.cache]\nsize_gib = {cache_gib}\n")
    if invocation.error:
        raise SandboxError(f"the Lambda failed: {invocation.error['errorMessage']}")
    if memory_limit:
        _limit_memory(world, memory_limit)


def _limit_memory(world: World, quantity: str) -> None:
    workload, where = f"deployment/{installation.settings(world).names.workload}", f"--namespace={world.namespace}"
    with step(f"limiting the memory to {quantity}"):
        run(("kubectl", "set", "resources", workload, where, f"--limits=memory={quantity}"))
        run(("kubectl", "rollout", "status", workload, where, "--timeout=180s"))


@contextmanager
def serving_layers(world: World) -> Iterator[Layers]:
    """Serve layers of any size until the block ends.

    Raises:
        SandboxError: The layer server does not start.
    """
    installation.push_new_layer(world, REPOSITORY, _SMALL_LAYER_BYTES)  # so that the repository exists
    with serving(world) as server:
        yield Layers(Control(), server)
