"""The pod that hostile clients attack: alone in a cgroup with the memory limit, or on the real node."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox import cgroups, installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.soak.pods import Memory, memory_limit_bytes

LOOPBACK = "127.0.0.1"
ATTACKERS = "198.51.100"
"""The node has this network while it attacks its pods."""


class Target(Protocol):
    """A pod that serves."""

    @property
    def address(self) -> str:
        """Where it listens."""

    def source(self, number: int) -> str:
        """The address that an attack comes from: each has its own, since limits by address outlast it."""

    @property
    def limit_bytes(self) -> int:
        """Its memory limit."""

    @property
    def memory(self) -> Memory:
        """What it holds."""

    def survives(self) -> bool:
        """Whether no process of it was killed and nothing was restarted since the start."""


@dataclass(frozen=True)
class Alone:
    """A pod without a kubelet."""

    pod: Pod
    limit_bytes: int
    memory: Memory
    before: list[int]
    address: str = LOOPBACK

    def source(self, number: int) -> str:
        """One of loopback."""
        return f"127.1.0.{number}"

    def survives(self) -> bool:
        """Whether the same workers serve."""
        return self.pod.workers == self.before and not self.memory.kills()


@dataclass(frozen=True)
class OnNode:
    """A pod that the kubelet probes."""

    world: World
    address: str
    limit_bytes: int
    memory: Memory
    before: dict[str, int]

    def source(self, number: int) -> str:
        """One of the node that no other client has."""
        return f"{ATTACKERS}.{number}"

    def survives(self) -> bool:
        """Whether the same pods run, and none of their containers was restarted."""
        return installation.proxy_pods(self.world) == self.before and not self.memory.kills()


@contextmanager
def alone(world: World, more: str) -> Iterator[Alone]:
    """One whose nginx is in a cgroup with the default limit; `more` is TOML for the settings."""
    text = installation.toml(world, image="example.net/nginx:1", more=more)
    settings = parse_toml(text, "the soak's settings")
    limit_bytes = int(parse_quantity(settings.proxy.resources.memory_limit))
    with _pod(world, settings) as pod, _limited(world, pod, limit_bytes) as memory:
        yield Alone(pod, limit_bytes, memory, pod.workers)


@contextmanager
def on_node(world: World, more: str) -> Iterator[OnNode]:
    """One of two of an installation with the default limit; `more` is TOML for the settings.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    run(("ip", "route", "replace", "local", f"{ATTACKERS}.0/24", "dev", "lo"))
    invocation = installation.install(world, more)
    if invocation.error:
        raise SandboxError(f"the Lambda failed: {invocation.error['errorMessage']}")
    pod, *_ = installation.proxy_pod_objects(world)
    memory, before = Memory.of(world, pod), installation.proxy_pods(world)
    yield OnNode(world, pod["status"]["podIP"], memory_limit_bytes(pod), memory, before)


@contextmanager
def _pod(world: World, settings: Settings) -> Iterator[Pod]:
    with tempfile.TemporaryDirectory(dir=world.run) as folder:
        pod = Pod(Path(folder), world, settings)
        token = Control().issue_token(world.region).authorization
        pod.give(dict.fromkeys(world.ecr_hosts, token))
        if settings.proxy.pod_tls_secret:
            pair = world.pair("domain")
            pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
        pod.start()
        try:
            yield pod
        finally:
            pod.stop()


@contextmanager
def _limited(world: World, pod: Pod, limit_bytes: int) -> Iterator[Memory]:
    """The memory of the pod's nginx from now on, with a limit at which the kernel kills."""
    name = f"{world.cgroup}-hostile"
    cgroups.create(name)
    folder = next(found for found in cgroups.subtrees(name) if (found / "memory.stat").exists())
    for file in ("memory.max", "memory.limit_in_bytes"):
        if (folder / file).exists():
            (folder / file).write_text(str(limit_bytes))
    for process in (pod.pid, *pod.workers):
        (folder / "cgroup.procs").write_text(str(process))
    try:
        yield Memory(folder)
    finally:
        # Requests of a flood wait for a minute in the queue of their client, and would hold up a stop.
        pod.kill()
        cgroups.remove(name)
