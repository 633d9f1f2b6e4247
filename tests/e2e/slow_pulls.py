"""Real clients that pull slowly until they are released: containerd and skopeo wait for S3, crane itself reads slowly.

A client that fails is started again, as the kubelet or a user does. Each counts its starts, and the requests with which
it resumed a blob.
"""

import hashlib
import os
import ssl
import subprocess
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from threading import Event, Thread
from typing import IO

import httpx2

from testbed.sandbox import installation, pulls
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from testbed.waiting import wait_until

COLD_BYTES = 10 << 20
WARM_BYTES = 24 << 20
"""More than the buffers between nginx and a client hold, so that nginx sends it as slowly as the client reads."""
STARTED_BYTES = 2 << 20
FAST = Behaviour(s3_bytes_per_second=1_000_000)
SLOW = Behaviour(s3_bytes_per_second=8_000)
"""A layer takes minutes from here on: no pull ends before it is released."""
DEADLINE_SECONDS = 90
PAUSE_SECONDS = 1.0
"""The pause between two starts of a client. The first pause of the kubelet is 10 s."""
_TRIES = 60
_CHUNK_BYTES = 16 << 10
_CHUNKS_PER_SECOND = 4


@dataclass(frozen=True, slots=True)
class Layer:
    """An image with one layer.

    Attributes:
        reference: The image at the public domain.
        digest: The digest of the layer.
    """

    reference: str
    digest: str


class SlowPull(ABC):
    """A client that pulls in its own thread.

    Attributes:
        released: When set, every client reads as fast as it can.
        starts: The number of starts of the client.
        failures: The last line of its output, for each failure.
    """

    def __init__(self, world: World, layer: Layer, folder: Path, released: Event) -> None:
        self.world = world
        self.layer = layer
        self.folder = folder
        self.starts = 0
        self.failures: list[str] = []
        self.released = released
        self._stopped = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._pull)

    @property
    def log(self) -> Path:
        """The output of the client, of all its starts."""
        return self.folder / "log"

    @property
    def is_running(self) -> bool:
        """Whether it still pulls, or will be started again."""
        return self._thread.is_alive()

    @abstractmethod
    def command(self) -> tuple[str | Path, ...]:
        """The client's command line."""

    @abstractmethod
    def received_bytes(self) -> int:
        """How many bytes of the layer the client has stored."""

    @abstractmethod
    def found(self) -> str:
        """The digest of what the client received."""

    def resumed(self) -> int:
        """How many times it resumed a blob."""
        return 0

    def read(self, output: IO[bytes]) -> None:
        """Read the standard output of the client: for most clients, their progress."""
        while output.read(_CHUNK_BYTES):
            pass

    def start(self) -> None:
        """Start the client."""
        self.folder.mkdir(parents=True)
        self._thread.start()

    def stop(self) -> None:
        """End the client."""
        self._stopped.set()
        self.released.set()
        if self._process:
            self._process.kill()
        self._thread.join()

    def finish(self, timeout_seconds: float) -> str:
        """Wait for the end; returns the digest of what the client received."""
        self._thread.join(timeout_seconds)
        assert not self.is_running, f"{self} did not end within {timeout_seconds} s: {self.failures}"
        assert len(self.failures) < self.starts, f"{self} failed {self.starts} times: {self.failures}"
        return self.found()

    def __str__(self) -> str:
        return (
            f"{type(self).__name__} {self.folder.name}: {self.starts} starts, {self.resumed()} resumed, {self.failures}"
        )

    def _pull(self) -> None:
        while self.starts < _TRIES and not self._stopped.is_set():
            self.starts += 1
            if self._run() == 0:
                return
            self.failures.append(self.log.read_text(errors="replace").strip().rpartition("\n")[2])
            self._stopped.wait(PAUSE_SECONDS)

    def _run(self) -> int:
        environment = pulls.anonymous(self.world)
        with (
            self.log.open("ab") as log,
            subprocess.Popen(  # noqa: S603 - our own arguments
                self.command(), stdout=subprocess.PIPE, stderr=log, env=environment
            ) as self._process,
        ):
            assert self._process.stdout is not None
            self.read(self._process.stdout)
        return self._process.returncode


def size_bytes(file: Path) -> int:
    """The size of a file; 0 where a client has not created it yet, or has just renamed it."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def text_of(file: Path) -> str:
    """The text of a file; empty where a client has just removed it."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


class Containerd(SlowPull):
    """containerd's own client, with the code that pulls for the kubelet."""

    def command(self) -> tuple[str | Path, ...]:
        client = ("ctr", "--debug", f"--address={self.world.containerd_socket}", "--namespace=slow-pulls")
        return (*client, "content", "fetch", self.layer.reference)

    def received_bytes(self) -> int:
        """What containerd has stored, in steps of 1 MiB."""
        return sum(
            size_bytes(ref.parent / "data")
            for ref in self._store.glob("ingest/*/ref")
            if self.layer.digest.removeprefix("sha256:") in text_of(ref)
        )

    def found(self) -> str:
        blob = self._store / "blobs" / "sha256" / self.layer.digest.removeprefix("sha256:")
        return f"sha256:{hashlib.sha256(blob.read_bytes()).hexdigest()}"

    def resumed(self) -> int:
        return self.log.read_text(errors="replace").count('response.status="206 Partial Content"')

    @property
    def _store(self) -> Path:
        return self.world.state / "containerd" / "io.containerd.content.v1.content"


class Skopeo(SlowPull):
    """Starts a layer from the beginning each time; newer versions resume it."""

    def command(self) -> tuple[str | Path, ...]:
        trust = self.folder / "trust"
        trust.mkdir(exist_ok=True)
        (trust / "ca.crt").write_bytes(self.world.ca.certificate.read_bytes())
        source = (f"--src-cert-dir={trust}", f"docker://{self.layer.reference}")
        return ("skopeo", "copy", "--insecure-policy", *source, f"dir:{self.folder / 'image'}")

    def received_bytes(self) -> int:
        return sum(size_bytes(file) for file in (self.folder / "image").glob("*"))

    def found(self) -> str:
        content = (self.folder / "image" / self.layer.digest.removeprefix("sha256:")).read_bytes()
        return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Crane(SlowPull):
    """Reads slowly until it is released; never resumes."""

    def command(self) -> tuple[str | Path, ...]:
        repository = self.layer.reference.rpartition(":")[0]
        return ("crane", "blob", f"{repository}@{self.layer.digest}")

    def read(self, output: IO[bytes]) -> None:
        self._received_bytes, self._hash = 0, hashlib.sha256()
        while chunk := output.read(_CHUNK_BYTES):
            self._received_bytes += len(chunk)
            self._hash.update(chunk)
            self.released.wait(1 / _CHUNKS_PER_SECOND)

    def received_bytes(self) -> int:
        return getattr(self, "_received_bytes", 0)

    def found(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


KINDS: tuple[type[SlowPull], ...] = (Containerd,) * 8 + (Skopeo,) * 4 + (Crane,) * 8
"""Twenty clients. containerd stores a layer once, so each of its pulls needs its own layer: a cache miss."""


@contextmanager
def running(world: World, layers: Mapping[type[SlowPull], Iterator[Layer]], folder: Path) -> Iterator[list[SlowPull]]:
    """The clients, while they pull; they are ended at the end of the `with` block."""
    released = Event()
    found = [kind(world, next(layers[kind]), folder / str(number), released) for number, kind in enumerate(KINDS)]
    with ExitStack() as stack:
        for pull in found:
            pull.start()
            stack.callback(pull.stop)
        yield found


@contextmanager
def in_the_middle(world: World, control: Control, folder: Path, *, tls: bool = True) -> Iterator[list[SlowPull]]:
    """Twenty clients in the middle of a layer, which S3 sends slowly from now on.

    Args:
        world: The sandbox, with the front door installed.
        control: Of the doubles of AWS.
        folder: An empty one.
        tls: Whether nginx terminates TLS.
    """
    push = Pusher(world, control)
    warm = push.layer(WARM_BYTES)
    for pod in installation.proxy_pods(world):
        pulls.fetch_from_pod(world, pod, f"v2/{world.app_repository}/blobs/{warm.digest}", tls=tls)
    cold = iter([push.layer(COLD_BYTES) for kind in KINDS if kind is not Crane])
    control.set(FAST)
    with running(world, {Containerd: cold, Skopeo: cold, Crane: repeat(warm)}, folder) as found:
        wait_until(
            lambda: all(pull.received_bytes() >= _least(pull) for pull in found),
            "every client receives",
            seconds=DEADLINE_SECONDS,
        )
        control.set(SLOW)
        yield found


def _least(pull: SlowPull) -> int:
    return 1 if isinstance(pull, Crane) else STARTED_BYTES


def finish(control: Control, found: list[SlowPull]) -> None:
    """Let every client read at full speed, and compare what each received with the digest."""
    control.reset()
    for pull in found:
        pull.released.set()
    for pull in found:
        assert pull.finish(DEADLINE_SECONDS) == pull.layer.digest, str(pull)


def was_broken(pull: SlowPull) -> bool:
    """Whether a client needed more than one start or request for its layer."""
    return pull.starts > 1 or pull.resumed() > 0


class Pusher:
    """Pushes layers that no client has pulled yet, each as an image."""

    def __init__(self, world: World, control: Control) -> None:
        self._world = world
        self._authorization = control.issue_token(world.region).authorization
        self._trust = ssl.create_default_context(cafile=str(world.ca.certificate))

    def layer(self, size_bytes: int) -> Layer:
        """Push an image with one layer of random bytes."""
        tag = f"slow-{uuid.uuid4().hex[:8]}"
        repository = self._world.app_repository
        with httpx2.Client(verify=self._trust) as client:
            publisher = Publisher(client, self._world.ecr_host, self._authorization)
            (digest,) = publisher.image(repository, tag, [os.urandom(size_bytes)]).layers
        return Layer(f"{self._world.domain}/{repository}:{tag}", digest)
