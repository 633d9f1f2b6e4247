"""A copy of the sources that a mutant may be made in: the working tree is never touched."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from testbed.mutants.mutant import Mutant, mutated
from testbed.mutants.rules import ROOT

_ages = count(1)


def copy(to: Path) -> Path:
    """Copy what git knows or would take, as it lies in the working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - git
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


@contextmanager
def holding(tree: Path, mutant: Mutant) -> Iterator[None]:
    """A copy that holds a mutant for a while.

    Raises:
        MutantError: An edit does not fit.
    """
    file = tree / mutant.file
    original = file.read_text(encoding="utf-8")
    _write(file, mutated(original, mutant))
    try:
        yield
    finally:
        _write(file, original)


def _write(file: Path, text: str) -> None:
    """Write, in a second of its own: Python takes compiled code for current when a source has its size and second."""
    file.write_text(text, encoding="utf-8")
    age = next(_ages)
    os.utime(file, (age, age))
