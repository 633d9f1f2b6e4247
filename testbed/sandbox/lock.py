"""One command at a time for each state folder and each cache. A lock is a name, not a file: it cannot stay behind."""

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.sandbox.progress import say

POLL_SECONDS = 0.2


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which need not exist; wait for another command that holds it.

    It is an abstract unix socket (unix(7)): the kernel gives it back when its owner ends, however that happens.
    """
    with socket.socket(socket.AF_UNIX) as name:
        waiting = False
        while not _taken(name, f"\0ecr-frontdoor-sandbox:{folder}"):
            if not waiting:
                say(f"another sandbox command is at work on {folder}; waiting for it")
                waiting = True
            time.sleep(POLL_SECONDS)
        yield


def _taken(name: socket.socket, address: str) -> bool:
    try:
        name.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    return True
