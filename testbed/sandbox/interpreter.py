"""The Python that runs this, by its full path: its folder has the programs of the development requirements."""

import sys
from pathlib import Path

PYTHON = Path(sys.executable).absolute()
"""It would be relative if its entry of the PATH is, and then useless in another folder. A virtual
environment's interpreter is a link that must not be followed."""
