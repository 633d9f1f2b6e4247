"""Real clients that pull slowly until they are let go: containerd and skopeo wait for S3, crane reads slowly itself.

A client that fails is started again, as the kubelet or its user would; each remembers how often it was started and how
often it asked for the rest of what it had begun.
"""

import hashlib
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO

from testbed.sandbox import pulls
from testbed.sandbox.world import World

PAUSE_SECONDS = 1.0
"""Between two starts of a client. The kubelet begins with 10 s."""
_TRIES = 60
_CHUNK_BYTES = 16 << 10
_CHUNKS_PER_SECOND = 4


@dataclass(frozen=True, slots=True)
class Layer:
    """What is pulled: an image of one layer.

    Attributes:
        reference: The image at the public domain.
        digest: The layer's.
    """

    reference: str
    digest: str


class SlowPull(ABC):
    """A client, pulling in a thread of its own.

    Attributes:
        let_go: Set it, and every client may read as fast as it can.
        starts: How often the client was started.
        failures: What it said when it failed, once for each time.
    """

    def __init__(self, world: World, layer: Layer, folder: Path, let_go: Event) -> None:
        self.world = world
        self.layer = layer
        self.folder = folder
        self.starts = 0
        self.failures: list[str] = []
        self.let_go = let_go
        self._stopped = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._pull)

    @property
    def log(self) -> Path:
        """What the client says, over all its starts."""
        return self.folder / "log"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, neither well nor for good."""
        return self._thread.is_alive()

    @abstractmethod
    def command(self) -> tuple[str | Path, ...]:
        """The client's command line."""

    @abstractmethod
    def received_bytes(self) -> int:
        """How much of the layer the client has kept so far."""

    @abstractmethod
    def found(self) -> str:
        """The digest of what came."""

    def resumed(self) -> int:
        """How often it was given a blob from the middle on."""
        return 0

    def read(self, output: IO[bytes]) -> None:
        """Take what the client writes to standard output: of most, a picture of their progress."""
        while output.read(_CHUNK_BYTES):
            pass

    def start(self) -> None:
        """Begin."""
        self.folder.mkdir(parents=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, whatever it does."""
        self._stopped.set()
        self.let_go.set()
        if self._process:
            self._process.kill()
        self._thread.join()

    def finish(self, timeout_seconds: float) -> str:
        """The digest of what came, once it has come."""
        self._thread.join(timeout_seconds)
        assert not self.is_running, f"{self} is not over after {timeout_seconds} s: {self.failures}"
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
            subprocess.Popen(  # noqa: S603 - our own words
                self.command(), stdout=subprocess.PIPE, stderr=log, env=environment
            ) as self._process,
        ):
            assert self._process.stdout is not None
            self.read(self._process.stdout)
        return self._process.returncode


def size_bytes(file: Path) -> int:
    """How many bytes a file has; none where a client has not made it yet, or has just given it another name."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def text_of(file: Path) -> str:
    """What a file says; nothing where a client has just removed it."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


class Containerd(SlowPull):
    """containerd's own client: the code with which the kubelet's pulls are made."""

    def command(self) -> tuple[str | Path, ...]:
        client = ("ctr", "--debug", f"--address={self.world.containerd_socket}", "--namespace=slow-pulls")
        return (*client, "content", "fetch", self.layer.reference)

    def received_bytes(self) -> int:
        """What containerd has written down, which it does by the MiB."""
        return sum(
            size_bytes(ref.parent / "data")
            for ref in self._store.glob("ingest/*/ref")
            if self.layer.digest.removeprefix("sha256:") in text_of(ref)
        )

    def found(self) -> str:
        kept = self._store / "blobs" / "sha256" / self.layer.digest.removeprefix("sha256:")
        return f"sha256:{hashlib.sha256(kept.read_bytes()).hexdigest()}"

    def resumed(self) -> int:
        return self.log.read_text(errors="replace").count('response.status="206 Partial Content"')

    @property
    def _store(self) -> Path:
        return self.world.state / "containerd" / "io.containerd.content.v1.content"


class Skopeo(SlowPull):
    """Starts a layer anew each time; newer versions than this one resume it."""

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
    """Reads slowly until it is let go; never resumes."""

    def command(self) -> tuple[str | Path, ...]:
        repository = self.layer.reference.rpartition(":")[0]
        return ("crane", "blob", f"{repository}@{self.layer.digest}")

    def read(self, output: IO[bytes]) -> None:
        self._received_bytes, self._hash = 0, hashlib.sha256()
        while chunk := output.read(_CHUNK_BYTES):
            self._received_bytes += len(chunk)
            self._hash.update(chunk)
            self.let_go.wait(1 / _CHUNKS_PER_SECOND)

    def received_bytes(self) -> int:
        return getattr(self, "_received_bytes", 0)

    def found(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


KINDS: tuple[type[SlowPull], ...] = (Containerd,) * 8 + (Skopeo,) * 4 + (Crane,) * 8
"""Twenty clients. containerd keeps a layer once, so each of its pulls needs a layer of its own: a cold one."""


@contextmanager
def running(world: World, layers: Mapping[type[SlowPull], Iterator[Layer]], folder: Path) -> Iterator[list[SlowPull]]:
    """The clients, pulling; ended when this is left."""
    let_go = Event()
    found = [kind(world, next(layers[kind]), folder / str(number), let_go) for number, kind in enumerate(KINDS)]
    with ExitStack() as stack:
        for pull in found:
            pull.start()
            stack.callback(pull.stop)
        yield found
