"""The Lambda's code with its dependencies for arm64 and its settings, bundled by pip on this machine, without Docker.

`docs/decisions/0001-bundle-with-pip-before-cdk.md` gives the reasons against a bundling hook of CDK.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.contract.runtime import PYTHON, SETTINGS_FILE

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "lambda_fn"
LOCK = SOURCE / "requirements.txt"

# Amazon Linux 2023 has glibc 2.34; wheels are built for 2.17 (manylinux2014) or 2.28.
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")

FILE_MODE, FOLDER_MODE = 0o644, 0o755
"""Of everything in the bundle. The zip that CDK makes keeps them, and Lambda reads the files as another user:
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html . pip and git follow the umask instead.
"""

# pip writes these with values of this machine. METADATA and licences stay, for vulnerability scanners.
_MACHINE_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_NOT_SHIPPED = ("__pycache__", "*.pyc", "requirements.*")

_DIGEST_FILE = "bundle.sha256"
"""Has the digest, so that another one always means other contents.

CDK makes another version of the function for another digest. Of equal contents Lambda publishes none, and
CloudFormation fails: https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
"""

_KEPT_FOLDERS = 20
"""In the cache: a bundle for each content, so each change of the settings adds one."""
_IN_USE_SECONDS = 3600


class BundlingError(FrontdoorError):
    """The Lambda's dependencies could not be installed; the message ends with the output of pip."""


def function_code(scope: Construct, settings: str) -> lambda_.Code:
    """The code asset of both functions with their settings as JSON; CDK identifies it by the digest of its contents.

    Where CDK needs no assets (`cdk list`, `cdk destroy`, tests with `aws:cdk:bundling-stacks: []`), nothing is
    installed, and the asset is the sources alone.

    Raises:
        BundlingError: pip failed.
    """
    folder = bundle(settings) if cdk.Stack.of(scope).bundling_required else SOURCE
    digest = bundle_digest(settings)
    return lambda_.Code.from_asset(str(folder), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM)


def bundle(settings: str | None = None) -> Path:
    """The bundle, readable by all, built once per content in the user's cache: dependencies, `lambda_fn`, settings.

    Args:
        settings: As JSON; None where only the code matters, as for a bill of materials.

    Raises:
        BundlingError: pip failed; nothing is left in the cache.
    """
    dependencies, digest = _once(f"dependencies-{_lock_digest()}", _install), bundle_digest(settings)

    def assemble(folder: Path) -> None:
        # Hard links take no space; CDK packs a copy.
        shutil.copytree(dependencies, folder, copy_function=os.link)
        shutil.copytree(SOURCE, folder / SOURCE.name, ignore=shutil.ignore_patterns(*_NOT_SHIPPED))
        if settings is not None:
            (folder / SETTINGS_FILE).write_text(settings, encoding="utf-8")
        (folder / _DIGEST_FILE).write_text(f"{digest}\n", encoding="utf-8")

    bundled = _once(f"bundle-{digest}", assemble)
    _set_modes(bundled)  # of a cached one, too: something else may have changed them since
    return bundled


def bundle_digest(settings: str | None = None) -> str:
    """SHA-256 of everything in the bundle: sources, settings, lock file, target platform, modes."""
    shipped = (p for p in SOURCE.rglob("*") if p.is_file() and not any(map(p.match, _NOT_SHIPPED)))
    sources = sorted(p for p in shipped if "__pycache__" not in p.parts)
    configured = [] if settings is None else [settings.encode()]
    names = _DIGEST_FILE.encode()
    return _digest([_lock_digest().encode(), names, *configured, *(part for p in sources for part in _named(p))])


def _lock_digest() -> str:
    target = " ".join((PYTHON, *PLATFORMS, *_MACHINE_FILES, oct(FILE_MODE)))
    return _digest([target.encode(), LOCK.read_bytes()])


def _named(path: Path) -> tuple[bytes, bytes]:
    return path.relative_to(SOURCE).as_posix().encode(), path.read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    """SHA-256 of a list of byte strings; with the lengths, `ab, c` and `a, bc` differ."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """The cached folder `name`; if it is missing, `make` fills a temporary folder, which is then renamed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecr-frontdoor" / "lambda"
    cached = cache / name
    if not cached.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="incomplete-") as scratch:
            folder = Path(scratch) / name
            make(folder)
            try:
                folder.rename(cached)
            except OSError:
                if not cached.exists():  # otherwise another synthesis has stored the same content
                    raise
        _prune(cache)
    os.utime(cached)  # so that it is not pruned soon
    return cached


def _prune(cache: Path) -> None:
    """Delete the folders that were not used for longest; none that another synthesis may be using."""
    by_use = sorted((entry.stat().st_mtime, entry.path) for entry in os.scandir(cache))
    for used_at, path in by_use[:-_KEPT_FOLDERS]:
        if used_at < time.time() - _IN_USE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _set_modes(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = FOLDER_MODE if path.is_dir() else FILE_MODE
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)


def _install(folder: Path) -> None:
    """Install the dependencies into `folder`: pinned, hashed wheels for arm64; nothing is compiled here."""
    print("installing the Lambda's dependencies for arm64 (once for each lock file)", file=sys.stderr)  # noqa: T201 - progress
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    command += [*platforms, "--target", str(folder), "--requirement", str(LOCK)]
    # jsii uses the stdout of this process.
    pip = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - our own arguments
    if pip.returncode:
        raise BundlingError(
            f"pip failed with status {pip.returncode}: {LOCK.relative_to(ROOT)} is not installed for Python {PYTHON} "
            f"on arm64. Fix: check the network and pip's configuration. Output of pip:\n{pip.stdout.strip()}"
        )
    shutil.rmtree(folder / "bin", ignore_errors=True)  # console scripts hold paths of this machine
    for name in _MACHINE_FILES:
        for trace in folder.glob(f"*.dist-info/{name}"):
            trace.unlink()
