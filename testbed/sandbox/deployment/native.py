"""The Lambda's compiled dependencies for this machine, from the same lock: what in the bundle only arm64 can run.

The one part here that uses the network, so it runs before the sandbox is up.
"""

import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from lambda_fn.contract.runtime import PYTHON
from stacks import bundling
from testbed.sandbox.commands import run
from testbed.sandbox.world import World


def is_the_lambdas_machine() -> bool:
    """Whether this machine and its Python run the bundle as it is."""
    return platform.machine() == "aarch64" and "{}.{}".format(*sys.version_info) == PYTHON


def folder(world: World) -> Path:
    """Their folder: one for each lock and Python."""
    key = sha256(bundling.LOCK.read_bytes() + f"{sys.version} {platform.machine()}".encode()).hexdigest()[:12]
    return world.cache / f"native-{key}"


def prepare(world: World) -> None:
    """Make the bundle, and install its compiled distributions for this machine, both once for each lock.

    Raises:
        SandboxError: They cannot be installed.
    """
    bundle = bundling.bundle()
    if is_the_lambdas_machine() or folder(world).exists():
        return
    world.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=world.cache, prefix="unfinished-") as scratch:
        pinned = Path(scratch) / "requirements.txt"
        pinned.write_text("\n".join(_pins(set(_compiled(bundle)))))
        target = Path(scratch) / "native"
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        run((*pip, "--require-hashes", "--only-binary=:all:", "--target", target, "--requirement", pinned))
        target.rename(folder(world))


def _compiled(bundle: Path) -> Iterator[str]:
    """The distributions of a bundle that say of themselves that they are not pure Python."""
    for wheel in bundle.glob("*.dist-info/WHEEL"):
        if "Root-Is-Purelib: false" in wheel.read_text():
            yield _normal(wheel.parent.name.split("-")[0])


def _pins(names: set[str]) -> Iterator[str]:
    """Their lines of the lock, with the hashes."""
    for block in re.split(r"\n(?=[a-z0-9])", bundling.LOCK.read_text()):
        if _normal(re.split(r"[=\s\[;]", block)[0]) in names:
            yield block


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
