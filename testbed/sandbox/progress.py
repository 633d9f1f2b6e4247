"""Progress on the terminal: a spinner with elapsed time on a TTY, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

REPEAT_SECONDS = 20

console = Console(stderr=True, highlight=False, markup=False)


def say(text: str) -> None:
    """Write one line for the user."""
    console.print(text, soft_wrap=True)


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show that `title` is under way, then how long it took, or that it failed.

    Yields:
        A function that shows a detail: what within the step is going on now.
    """
    started_at = time.monotonic()
    mark = "failed"
    try:
        with _spinner(title) if console.is_terminal else _lines(title) as detail:
            yield detail
        mark = "ok"
    finally:
        say(f"{mark:>6}  {title} ({time.monotonic() - started_at:.1f} s)")


@contextmanager
def _spinner(title: str) -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)

        def detail(text: str) -> None:
            progress.update(task, description=f"{title}: {text}")

        yield detail


@contextmanager
def _lines(title: str) -> Iterator[Callable[[str], None]]:
    say(f"   ...  {title}")
    done = threading.Event()
    repeat = threading.Thread(target=_repeat, args=(done,), daemon=True)
    repeat.start()
    try:
        yield lambda text: say(f"        {text}")
    finally:
        done.set()
        repeat.join()


def _repeat(done: threading.Event) -> None:
    """Print the elapsed time regularly where there is no spinner."""
    started_at = time.monotonic()
    while not done.wait(REPEAT_SECONDS):
        say(f"        still running after {time.monotonic() - started_at:.0f} s")
