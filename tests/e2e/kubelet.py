"""The node's kubelet, which the sandbox has look at its pods every few seconds, as it is by default."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World
from testbed.waiting import wait_until


@contextmanager
def with_default_sync(world: World) -> Iterator[None]:
    """A kubelet that looks at its pods once a minute."""
    quick = json.loads((world.node_files / "kubelet.json").read_text())
    _restart(world, {name: value for name, value in quick.items() if name != "syncFrequency"})
    try:
        yield
    finally:
        _restart(world, quick)


def _restart(world: World, configuration: Mapping[str, object]) -> None:
    """Run the node's kubelet again, with another configuration; its pods stay."""
    file = world.node_files / "kubelet.json"
    argument = f"--config={file}"
    commands = {
        int(of.parent.name): words for of in Path("/proc").glob("[0-9]*/cmdline") if argument in (words := _argv(of))
    }
    ((pid, command),) = commands.items()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: argument not in _argv(Path(f"/proc/{pid}/cmdline")), "the kubelet has ended")
    file.write_text(json.dumps(configuration))
    with (world.logs / "kubelet.log").open("ab") as log:
        forked = ("setsid", "--fork", *command)
        subprocess.run(forked, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)  # noqa: S603 - its own
    wait_until(lambda: _sync_frequency(world) == configuration.get("syncFrequency", "1m0s"), "the new one answers")


def _sync_frequency(world: World) -> str:
    """How often the kubelet looks at its pods; '' while it does not answer."""
    with suppress(SandboxError):
        path = f"/api/v1/nodes/{world.node}/proxy/configz"
        return str(json.loads(run(("kubectl", "get", "--raw", path)))["kubeletconfig"]["syncFrequency"])
    return ""


def _argv(file: Path) -> list[str]:
    try:
        return file.read_text().split("\0")[:-1]
    except OSError:
        return []
