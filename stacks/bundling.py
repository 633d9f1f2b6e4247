"""The Lambda's code with its dependencies for arm64, put together by pip on this machine: no Docker.

`docs/decisions/0001-bundle-with-pip-before-cdk.md` says why this is no CDK bundling hook.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.contract.runtime import PYTHON

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "lambda_fn"
LOCK = SOURCE / "requirements.txt"

# Amazon Linux 2023 has glibc 2.34; wheels are built for 2.17 (manylinux2014) or 2.28.
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")

# Of pip, and differing from one machine to the next. METADATA and licences stay: vulnerability scanners read them.
_TRACES_OF_PIP = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_NOT_SHIPPED = ("__pycache__", "*.pyc", "requirements.*")


class BundlingError(FrontdoorError):
    """The Lambda's dependencies could not be installed; the message ends with what pip said."""


def refresher_code(scope: Construct) -> lambda_.Code:
    """The function's code asset, known to CDK by the digest of what went in.

    Where CDK needs no assets (`cdk list`, `cdk destroy`, tests with `aws:cdk:bundling-stacks: []`), nothing is
    installed and the sources alone stand in.

    Raises:
        BundlingError: pip failed.
    """
    folder = bundle() if cdk.Stack.of(scope).bundling_required else SOURCE
    return lambda_.Code.from_asset(str(folder), asset_hash=bundle_digest(), asset_hash_type=cdk.AssetHashType.CUSTOM)


def bundle() -> Path:
    """The folder that is shipped: `lambda_fn` beside its dependencies, made once per content in the user's cache.

    Raises:
        BundlingError: pip failed; nothing is left in the cache.
    """
    dependencies = _once(f"dependencies-{_lock_digest()}", _install)

    def assemble(folder: Path) -> None:
        # Links take no space, and CDK ships a copy.
        shutil.copytree(dependencies, folder, copy_function=os.link)
        shutil.copytree(SOURCE, folder / SOURCE.name, ignore=shutil.ignore_patterns(*_NOT_SHIPPED))

    return _once(f"bundle-{bundle_digest()}", assemble)


def bundle_digest() -> str:
    """SHA-256 of everything that goes into the bundle: sources, lock file, target."""
    shipped = (p for p in SOURCE.rglob("*") if p.is_file() and not any(map(p.match, _NOT_SHIPPED)))
    sources = sorted(p for p in shipped if "__pycache__" not in p.parts)
    return _digest([_lock_digest().encode(), *(part for p in sources for part in _named(p))])


def _lock_digest() -> str:
    target = " ".join((PYTHON, *PLATFORMS, *_TRACES_OF_PIP))
    return _digest([target.encode(), LOCK.read_bytes()])


def _named(path: Path) -> tuple[bytes, bytes]:
    return path.relative_to(SOURCE).as_posix().encode(), path.read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    """SHA-256 of a list of byte strings; lengths keep `ab, c` and `a, bc` apart."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """The cached folder `name`; `make` fills it if it is not there, and only a finished one ever is."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecr-frontdoor" / "lambda"
    finished = cache / name
    if not finished.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as scratch:
            folder = Path(scratch) / name
            make(folder)
            try:
                folder.rename(finished)
            except OSError:
                if not finished.exists():  # otherwise another synthesis was faster, with the same content
                    raise
    return finished


def _install(folder: Path) -> None:
    """Dependencies into `folder`: every wheel pinned, hashed and built for the Lambda, nothing compiled here."""
    print("installing the Lambda's dependencies for arm64 (once per lock file)", file=sys.stderr)  # noqa: T201 - progress
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    command += [*platforms, "--target", str(folder), "--requirement", str(LOCK)]
    # The app's own stdout belongs to jsii.
    pip = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - our own arguments
    if pip.returncode:
        raise BundlingError(
            f"pip could not install {LOCK.relative_to(ROOT)} for Python {PYTHON} on arm64; "
            f"check the network and pip's configuration. pip said:\n{pip.stdout.strip()}"
        )
    shutil.rmtree(folder / "bin", ignore_errors=True)  # console scripts, with this machine's paths in them
    for name in _TRACES_OF_PIP:
        for trace in folder.glob(f"*.dist-info/{name}"):
            trace.unlink()
