"""What every client can do: pull an image, and forget what it has pulled."""

import base64
import json
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from testbed.clients.enclosure import HOME, Enclosure, Outcome
from testbed.sandbox.errors import SandboxError, last_lines
from testbed.sandbox.processes import serves
from testbed.sandbox.world import World
from testbed.waiting import eventually

START_STOP_SECONDS = 60


class Client(ABC):
    """A client with a place of its own."""

    name: ClassVar[str]

    def __init__(self, enclosure: Enclosure) -> None:
        self.enclosure = enclosure

    @classmethod
    @contextmanager
    def running(
        cls, world: World, files: Mapping[str, str] | None = None, network: Path | None = None
    ) -> Iterator[Self]:
        """The client, ready to pull; in the end its processes, mounts and files are gone.

        Args:
            world: The sandbox it runs in.
            files: Its configuration: path in its folder -> content.
            network: A network namespace of its own (`testbed.clients.addresses`).
        """
        with tempfile.TemporaryDirectory(dir=world.run, prefix=f"{cls.name}-", ignore_cleanup_errors=True) as folder:
            client = cls(Enclosure(world, Path(folder), cls.programs(world.cache), network))
            client.log_in({})
            for name, content in (files or {}).items():
                (client.enclosure.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (client.enclosure.folder / name).write_text(content)
            with client.started():
                yield client

    @classmethod
    def programs(cls, cache: Path) -> Path | None:  # noqa: ARG003 - of those that have one
        """The folder of programs that no other client has, if there is one."""
        return None

    @contextmanager
    def logged_in(self, logins: Mapping[str, str]) -> Iterator[None]:
        """Pull and push inside with the logins, `user:password` for each host; outside there is none."""
        self.log_in(logins)
        try:
            yield
        finally:
            self.log_in({})

    @contextmanager
    def started(self) -> Iterator[None]:
        """Run the daemon, of a client that has one."""
        yield

    def log_in(self, logins: Mapping[str, str]) -> None:
        """Write a login, `user:password`, for each host into the configuration, as `docker login` does."""
        auths = {host: {"auth": base64.b64encode(login.encode()).decode()} for host, login in logins.items()}
        folder = self.enclosure.folder / "config"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": auths}))

    def pull(self, reference: str) -> Outcome:
        """Pull an image by `HOST/REPOSITORY:TAG` or `HOST/REPOSITORY@DIGEST`, to the last byte of its layers."""
        return self.enclosure.run(*self.pulling(reference))

    @abstractmethod
    def pulling(self, reference: str) -> Sequence[str | Path]:
        """The command line of a pull."""

    @abstractmethod
    def forget(self) -> None:
        """Remove every image, so that the next pull asks the registry for all of it."""


class CopyingClient(Client):
    """A client whose images are one folder."""

    target = HOME / "image"

    def forget(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.enclosure.folder / self.target.name, ignore_errors=True)


class Daemon(Client):
    """A client whose daemon does the work."""

    socket: ClassVar[str]
    """The name of the daemon's socket in the client's folder."""

    @abstractmethod
    def serving(self) -> Sequence[str | Path]:
        """The command line of the daemon."""

    @contextmanager
    def started(self) -> Iterator[None]:
        """Run the daemon.

        Raises:
            SandboxError: It does not serve; the message ends with its last log lines.
        """
        process = self.enclosure.start(*self.serving())
        try:
            ready = serves(self.enclosure.folder / self.socket)
            eventually(lambda: ready() or process.poll() is not None, START_STOP_SECONDS, pause_seconds=0.1)
            if not ready():
                raise SandboxError(f"{self.name} does not serve\n{last_lines(self.enclosure.folder / 'log')}")
            yield
        finally:
            self._stop(process)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """End the process that started the daemon's PID namespace: the kernel ends everything in it."""
        process.kill()
        process.wait(START_STOP_SECONDS)

    def must(self, *words: str | Path) -> str:
        """Run a program that has to succeed; returns its output.

        Raises:
            SandboxError: It fails.
        """
        outcome = self.enclosure.run(*words)
        if not outcome.succeeded:
            raise SandboxError(f"{words[0]} ended with status {outcome.returncode}: {outcome.output}")
        return outcome.output
