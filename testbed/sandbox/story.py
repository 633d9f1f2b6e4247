"""A story: steps in order, each of which does something real, shows it, and can fail."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say, step

Lines = Iterator[str]
Story = TypeVar("Story")


def run_story(story: Story, steps: Sequence[Callable[[Story], Lines]]) -> int:
    """Run every step in order; returns 0 only if all succeeded. The first failure ends the run."""
    started_at = time.monotonic()
    for number, act in enumerate(steps, start=1):
        title = f"{number}/{len(steps)} {str(act.__doc__).rstrip('.')}"
        try:
            with step(title):
                for line in act(story):
                    say(f"         {line}")
        except SandboxError as error:
            say(f"\nstep {number} of {len(steps)} failed: {error}")
            return 1
    say(f"\nAll {len(steps)} steps succeeded, in {time.monotonic() - started_at:.0f} s.")
    return 0


def expect(holds: object, otherwise: str) -> None:
    """Fail the step unless a condition holds.

    Raises:
        SandboxError: It does not; the message is `otherwise`.
    """
    if not holds:
        raise SandboxError(otherwise)
