"""One life-cycle command at a time for each sandbox. The lock is a name, not a file: it cannot be left behind."""

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.progress import say
from sandbox.world import World

POLL_SECONDS = 0.2


@contextmanager
def lock(world: World) -> Iterator[None]:
    """Hold the lock of this world's state folder; wait for another command that holds it.

    It is an abstract unix socket (unix(7)): the kernel gives it back when its owner ends, however that happens.
    """
    with socket.socket(socket.AF_UNIX) as name:
        waiting = False
        while not _taken(name, f"\0ecr-frontdoor-sandbox:{world.state}"):
            if not waiting:
                say("another command is bringing this sandbox up or down; waiting for it")
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
