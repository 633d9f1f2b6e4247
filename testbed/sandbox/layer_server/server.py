"""Starts the layer server, gives it layers, and reads its counts.

with serving(world) as server:
    server.set_rate(50_000_000)
    digest = server.publish(Control(), GIB, seed=1)
    ...
    assert server.counts().bytes == GIB
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from testbed.sandbox import tools
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import pointed
from testbed.sandbox.tools import Tool
from testbed.sandbox.world import World

PROGRAM = Tool("layer-server", ".", Path(__file__).parent)
_END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """What the server has sent and received so far: bytes of bodies, requests, connections (0 for one layer)."""

    bytes: int
    requests: int
    connections: int

    def __sub__(self, earlier: "Counts") -> "Counts":
        """What came after earlier counts."""
        return Counts(
            self.bytes - earlier.bytes, self.requests - earlier.requests, self.connections - earlier.connections
        )


class LayerServer:
    """The running program, at the other end of its standard input and output. Threads may share it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lock = Lock()

    def publish(self, control: Control, size_bytes: int, seed: int) -> str:
        """The digest of a generated layer that ECR's double redirects and this server serves; a second for each GiB."""
        digest = control.generated_layer(size_bytes, seed)
        self.add(digest, Generated(size_bytes, seed))
        return digest

    def add(self, digest: str, content: Generated) -> None:
        """Serve a layer; `digest` is that of its bytes."""
        page = base64.b64encode(content.page).decode()
        layer = {"digest": digest.removeprefix("sha256:"), "size_bytes": content.size_bytes, "page": page}
        self._ask({"layer": layer})

    def set_rate(self, bytes_per_second: float) -> None:
        """From now on, each connection is this fast at most; 0 is no limit."""
        self._ask({"bytes_per_second": bytes_per_second})

    def counts(self, digest: str = "") -> Counts:
        """The counts so far, of all layers or of one."""
        return self._ask({"of": digest.removeprefix("sha256:")})

    def _ask(self, command: dict[str, Any]) -> Counts:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the program was started without pipes")
        with self._lock:
            stdin.write(json.dumps(command) + "\n")
            stdin.flush()
            answer = stdout.readline()
        if not answer:
            raise SandboxError(f"the layer server ended with status {self._process.wait()}; its reason is above")
        return Counts(**json.loads(answer))


@contextmanager
def serving(world: World) -> Iterator[LayerServer]:
    """Serve until the block ends: the layer host resolves to this server, and not to the double. Inside the sandbox.

    Raises:
        SandboxError: The program cannot be built or does not start.
    """
    tools.build(world.cache, (PROGRAM,))
    program = tools.program(world.cache, PROGRAM)
    pair = world.pair("s3")
    address = world.layer_server_address
    words = (program, "-listen", f"{address}:443", "-certificate", pair.certificate, "-key", pair.key)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        server = LayerServer(process)
        server.counts()  # it listens before it answers
        with pointed(world, {address: (world.layer_host,)}):
            yield server
    finally:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    """The program ends when its input does."""
    try:
        process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
