"""A hostile client at work: `testbed.soak.attack` as a program beside the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.soak.attack import command


@contextmanager
def attack(kind: str, **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """One that attacks for its seconds; at the end of the block it has ended.

    Args:
        kind: Of the attack.
        options: Of the program.
    """
    with subprocess.Popen(command(kind, options), stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own words
        yield process
        assert process.wait() == 0
