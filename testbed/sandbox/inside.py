"""Runs commands inside the sandbox from outside, and passes signals and exit status on."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from testbed.sandbox import lifecycle, namespaces, tools
from testbed.sandbox.entry import HELD
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.world import World
from testbed.waiting import eventually

ENDING = (signal.SIGTERM, signal.SIGHUP)


def run(world: World, command: Sequence[str], *, kubernetes: bool = True) -> int:
    """Run a command inside. A sandbox that is not up is brought up for it and taken down after it.

    Args:
        world: Which sandbox.
        command: The program and its arguments.
        kubernetes: Whether the command needs control plane and node; without them a sandbox is up in a second.

    Returns:
        The command's exit status; 128 and the signal's number when a signal has ended it.
    """
    brought_up = lifecycle.up(world, kubernetes=kubernetes, ends_with_caller=True)
    try:
        return _enter(world, command)
    finally:
        if brought_up:
            with _signals(signal.SIG_IGN, *ENDING, signal.SIGINT):
                lifecycle.down(world)


def _enter(world: World, command: Sequence[str]) -> int:
    init = InitProcess.recorded(world)
    if init is None:
        raise SandboxError(f"the sandbox in {world.state} has been taken down by another command; run this again")
    environment = namespaces.environment_inside(world, tools.folder(world.cache))
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        process = subprocess.Popen(namespaces.command_inside(init, command), env=environment)

        def forward(number: int, _: FrameType | None) -> None:
            _signal_command(process.pid, number)

        # A terminal sends its SIGINT to the command as well: the command decides how to react.
        with _signals(forward, *ENDING), _signals(signal.SIG_IGN, signal.SIGINT):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
            status = process.wait()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
    return status if status >= 0 else 128 - status


def _signal_command(entry: int, number: int, seconds: float = 5) -> None:
    """Send a signal to the command, the one child of `testbed.sandbox.entry`; it may not have been made yet."""
    children = Path(f"/proc/{entry}/task/{entry}/children")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if found := eventually(lambda: children.read_text().split(), seconds, pause_seconds=0.01):
            os.kill(int(found[0]), number)


@contextlib.contextmanager
def _signals(handler: "signal._HANDLER", *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
