"""Waits for what another process or another thread does. One loop for the test bed and for the tests."""

import time
from collections.abc import Callable
from typing import TypeVar

LONGEST_SECONDS = 60
"""For what takes nginx or a cluster a few seconds."""

Result = TypeVar("Result")


def wait_until(
    check: Callable[[], object], what: str, *, seconds: float = LONGEST_SECONDS, pause_seconds: float = 0.2
) -> None:
    """Return as soon as a check holds.

    Raises:
        AssertionError: It does not hold in time.
    """
    if not eventually(check, seconds, pause_seconds=pause_seconds):
        raise AssertionError(f"{what}: not within {seconds} s")


def eventually(check: Callable[[], Result], seconds: float = 10, *, pause_seconds: float = 0.05) -> Result:
    """Repeat a check until its result is true or the time is over; returns the last result.

    The check runs at least once. What it raises ends the wait.
    """
    deadline = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() <= deadline:
        time.sleep(pause_seconds)
    return result
