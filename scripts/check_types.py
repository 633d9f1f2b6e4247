"""Check the types of the code: `python scripts/check_types.py PATH...`.

Without a cache mypy takes minutes, nearly all of it for CDK's and boto's types. So a checkout that has no cache starts
with what the last such checkout has left in the user's cache. Each checkout has a cache of its own, since two runs of
mypy cannot write to one; mypy itself looks at the content of each file, at its own version and at its options.
"""

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

ROOT = Path(__file__).parents[1]
CRASHED = 2
"""mypy's exit status from which on its cache may be incomplete: 1 means that it found mistakes."""


def main(paths: Sequence[str]) -> int:
    """Run mypy; returns its exit status."""
    own, kept = ROOT / ".mypy_cache", user_cache_path("ecr-frontdoor") / "mypy.tar"
    is_new = not own.exists()
    if is_new and kept.exists():
        restore(kept, own)
    status = subprocess.run((sys.executable, "-m", "mypy", *paths), cwd=ROOT, check=False).returncode  # noqa: S603 - our own words
    if is_new and status < CRASHED:
        keep(own, kept)
    return status


def restore(archive: Path, folder: Path) -> None:
    """Unpack an archive as the folder, which appears at once and complete."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".mypy_cache-") as scratch:
        with tarfile.open(archive) as packed:
            # An argument of `extractall` since Python 3.11.4 only.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            packed.extractall(scratch)  # noqa: S202 - our own archive
        (Path(scratch) / "cache").rename(folder)


def keep(folder: Path, archive: Path) -> None:
    """Pack the folder; a reader of the archive sees the earlier one or this one, never a part."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as scratch:
        unfinished = Path(scratch) / archive.name
        with tarfile.open(unfinished, "w") as packed:
            packed.add(folder, "cache")
        unfinished.replace(archive)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
