"""Starts and ends moto and the registry as child processes."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.cloud.endpoints import LOOPBACK, MOTO_PORT, REGISTRY_PORT

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 5

_REGISTRY_CONFIGURATION = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: "{storage}"}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "{address}", relativeurls: true}}
"""


@dataclass
class Child:
    """A running part of the double."""

    name: str
    log: Path
    process: asyncio.subprocess.Process

    async def wait_for_port(self, port: int) -> None:
        """Return when it accepts connections.

        Raises:
            RuntimeError: It ended instead.
        """
        while self.process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                writer.close()
                return
        raise RuntimeError(self.end_message())

    def end_message(self) -> str:
        """The message when it ended unexpectedly."""
        return f"{self.name} ended with status {self.process.returncode}: see {self.log}"

    async def end(self) -> None:
        """End it, by SIGTERM and then by SIGKILL."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start_moto(folder: Path) -> Child:
    """moto, with every service, answering."""
    arguments = (sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(MOTO_PORT))
    child = await _start("moto", folder, arguments, {})
    await child.wait_for_port(MOTO_PORT)
    return child


async def start_registry(folder: Path, storage: Path) -> Child:
    """The registry, answering; `storage` is the folder that it writes to."""
    configuration = folder / "registry.yml"
    address = f"{LOOPBACK}:{REGISTRY_PORT}"
    configuration.write_text(_REGISTRY_CONFIGURATION.format(storage=storage, address=address))
    child = await _start(
        "registry", folder, ("registry", "serve", str(configuration)), {"OTEL_TRACES_EXPORTER": "none"}
    )
    await child.wait_for_port(REGISTRY_PORT)
    return child


async def _start(name: str, folder: Path, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Child:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | environment,
        )
    return Child(name, log, process)
