"""Anonymous pulls that go on while something happens."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from testbed.sandbox import pulls
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

_PAUSE_SECONDS = 0.5


@dataclass
class Tally:
    """The results of the pulls.

    Attributes:
        whole: The number of complete pulls.
        failures: The error messages of the others.
    """

    whole: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def pulling(world: World, reference: str, digest: str) -> Iterator[Tally]:
    """Pull an image over and over, one pull after the other; the tally is complete when the block is left.

    Raises:
        SandboxError: A pull failed, or brought something else; not where the block itself fails.
    """
    tally, over = Tally(), threading.Event()
    thread = threading.Thread(target=_pull, args=(world, reference, digest, tally, over), daemon=True)
    thread.start()
    try:
        yield tally
    finally:
        over.set()
        thread.join()
    if tally.failures or not tally.whole:
        raise SandboxError(
            f"{tally.whole} pulls of {reference} succeeded, {len(tally.failures)} failed: {tally.failures[:1]}"
        )


def _pull(world: World, reference: str, digest: str, tally: Tally, over: threading.Event) -> None:
    while not over.wait(_PAUSE_SECONDS):
        try:
            found = pulls.pull_with_crane(world, reference)
        except SandboxError as error:
            tally.failures.append(str(error))
            continue
        if found == digest:
            tally.whole += 1
        else:
            tally.failures.append(f"it is {found} instead of {digest}")
