"""Renovate looks for newer images of those that a folder's files name, and changes nothing.

It is npm's package and not the container image: both run the same code, and the sandbox uses no public registry of
images. The package alone is 364 MB, so only `make clients` obtains it.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.progress import step
from testbed.sandbox.world import World

PACKAGE = Path(__file__).parent / "tools" / "renovate"
FILES = ("package.json", "package-lock.json")
PROGRAM = Path("node_modules/renovate/dist/renovate.js")
SYSTEM_PATH = "/usr/bin:/bin"


@dataclass(frozen=True, slots=True, order=True)
class Update:
    """One change that Renovate would propose.

    Attributes:
        file: The file that names the image.
        kind: `minor` or `pinDigest`, for example.
        tag: The tag to change to; for a digest alone, the tag that is there.
        digest: The digest of that tag.
    """

    file: str
    kind: str
    tag: str
    digest: str


def folder(cache: Path) -> Path:
    """The folder of exactly the packages that are locked, whether it exists or not."""
    digest = hashlib.sha256(b"".join((PACKAGE / file).read_bytes() for file in FILES))
    return cache / "tools" / f"renovate-{digest.hexdigest()[:16]}"


def install(cache: Path) -> None:
    """Obtain it unless the cache has it, without running the packages' own scripts.

    Raises:
        SandboxError: npm fails.
    """
    target = folder(cache)
    if target.exists():
        return
    with step(f"installing Renovate and its 620 packages from npm (364 MB; stored in {target})"):
        draft = target.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for file in FILES:
            shutil.copy(PACKAGE / file, draft)
        run(
            (PYTHON.with_name("npm"), "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"),
            directory=draft,
        )
        draft.rename(target)


def updates(world: World, project: Path) -> Sequence[Update]:
    """What Renovate would propose for the files of a folder, by the `renovate.json` in it; sorted.

    Raises:
        SandboxError: Renovate is not installed or fails.
    """
    program = folder(world.cache) / PROGRAM
    if not program.exists():
        raise SandboxError(f"{program} does not exist. Fix: python -m testbed.clients --renovate")
    with tempfile.TemporaryDirectory(dir=world.run, prefix="renovate-") as home:
        report = Path(home) / "report.json"
        run((PYTHON.with_name("node"), program), environment=_environment(world, report), directory=project)
        return _proposed(report.read_text("utf-8"))


def _environment(world: World, report: Path) -> dict[str, str]:
    """Renovate's settings, without anything of the caller's; its caches are beside the report."""
    return {
        "PATH": SYSTEM_PATH,
        "HOME": str(report.parent),
        "NODE_EXTRA_CA_CERTS": str(world.ca.certificate),
        "RENOVATE_PLATFORM": "local",
        "RENOVATE_BASE_DIR": str(report.parent),
        "RENOVATE_REPORT_TYPE": "file",
        "RENOVATE_REPORT_PATH": str(report),
        "RENOVATE_X_IGNORE_RE2": "true",  # a library that the packages' own scripts would compile
    }


def _proposed(report: str) -> Sequence[Update]:
    files = json.loads(report)["repositories"]["local"]["packageFiles"].values()
    return sorted(
        Update(found["packageFile"], update["updateType"], update.get("newValue", ""), update.get("newDigest", ""))
        for found_by_manager in files
        for found in found_by_manager
        for dependency in found["deps"]
        for update in dependency["updates"]
    )
