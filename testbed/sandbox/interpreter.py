"""The Python that runs this, by its full path: beside it lie the programs of the development requirements."""

import sys
from pathlib import Path

PYTHON = Path(sys.executable).absolute()
"""Relative where the PATH it was found on is, and then of no use to a program in another folder. A virtual
environment's interpreter is a link that must not be followed."""
