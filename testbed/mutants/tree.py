"""A copy of the sources, so that edits during the run do not reach it."""

import shutil
import subprocess
from pathlib import Path

from testbed.mutants.rules import ROOT


def copy(to: Path) -> Path:
    """Copy the files that git tracks or would add, as they are in the working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - git
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to
