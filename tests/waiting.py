"""Waiting for what another process brings about."""

import time
from collections.abc import Callable

LONGEST_SECONDS = 60
"""For what takes nginx or a cluster a few seconds."""


def wait_until(
    is_so: Callable[[], bool], what: str, *, seconds: float = LONGEST_SECONDS, pause_seconds: float = 0.2
) -> None:
    """Return when it is."""
    assert eventually(is_so, seconds, pause_seconds=pause_seconds), f"{what}: not within {seconds} s"


def eventually(is_so: Callable[[], bool], seconds: float = 10, *, pause_seconds: float = 0.05) -> bool:
    """Whether it is in time; returns as soon as it is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True
