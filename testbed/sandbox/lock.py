"""A lock for each state folder and each cache. It is a name in the kernel, not a file: a crash leaves none behind."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from pathlib import Path

from testbed.sandbox.progress import say
from testbed.waiting import eventually

POLL_SECONDS = 0.2


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which need not exist; wait for another command that holds it.

    It is an abstract unix socket (unix(7)): the kernel releases it when its owner ends, however it ends.
    """
    with socket.socket(socket.AF_UNIX) as name:
        acquire = partial(_acquired, name, f"\0ecr-frontdoor-sandbox:{folder}")
        if not acquire():
            say(f"another sandbox command uses {folder}; waiting for it to end")
            eventually(acquire, inf, pause_seconds=POLL_SECONDS)
        yield


def _acquired(name: socket.socket, address: str) -> bool:
    try:
        name.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    return True
