"""The sandbox's command line, as a user calls it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.sandbox.world import World


def command(world: World, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "testbed.sandbox", "--state", str(world.state), *words)


def call(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    words = command(world, *words)
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=200)  # noqa: S603 - our own words


@contextmanager
def started(world: World, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is running and has written its first line, `begun`; it is killed in the end if it still runs."""
    words = command(world, *words)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603 - our own words
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()
