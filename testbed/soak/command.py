"""What the programs of the soak have in common: the file of the figures, the exit status, and the pace of looking."""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say

SAMPLES_A_SECOND = 2
SHOW_SECONDS = 20


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """With the option that every program has."""
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    return made


def status(run: Callable[[], Mapping[str, object]], file: Path | None) -> int:
    """The exit status of a run: 1 when it cannot run, or its figures say that something does not hold."""
    try:
        figures = run()
    except SandboxError as error:
        say(f"soak: {error}")
        return 1
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["holds"] else 1


def watch(goes_on: Callable[[], bool], look: Callable[[], None], shown: Callable[[], str]) -> None:
    """Look twice a second for as long as something goes on, and show now and then what was seen."""
    began = last = time.monotonic()
    while goes_on():
        look()
        if time.monotonic() - last > SHOW_SECONDS:
            last = time.monotonic()
            say(f"         {last - began:.0f} s: {shown()}")
        time.sleep(1 / SAMPLES_A_SECOND)


def show(figures: Mapping[str, object]) -> None:
    """Print the figures, one on each line."""
    for name, value in figures.items():
        say(f"  {name}: {json.dumps(value)}")
