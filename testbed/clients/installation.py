"""What the clients are made of: a root file system of Debian packages, and Go programs; both in the user's cache.

Nothing is installed on the machine.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from testbed.sandbox import rootfs, tools
from testbed.sandbox.progress import step
from testbed.sandbox.tools import Tool

PACKAGES = (
    "base-files",
    "ca-certificates",
    "containerd",
    "docker-buildx",
    "docker-cli",
    "docker.io",
    "podman",
    "skopeo",
)
"""Of the distribution's newest suite, with what they depend on."""

MODULES = Path(__file__).parent / "tools"
TOOLS: Sequence[Tool] = (
    Tool("oras", "oras.land/oras/cmd/oras", MODULES),
    Tool("cosign", "github.com/sigstore/cosign/v3/cmd/cosign", MODULES / "cosign"),
    Tool("helm", "helm.sh/helm/v4/cmd/helm", MODULES / "helm"),
    Tool("regctl", "github.com/regclient/regclient/cmd/regctl", MODULES),
)
"""Those that the sandbox does not have for itself: it has crane."""

BUILDKIT: Sequence[Tool] = tuple(
    Tool(name, f"github.com/moby/buildkit/cmd/{name}", MODULES / "buildkit") for name in ("buildkitd", "buildctl")
)
"""No Debian package has them. They are in a folder of their own, so that a new version builds nothing else."""

READER = Tool("lazy-read", ".", MODULES / "lazy")
"""Our own program around the packages by which lazy snapshotters read layers (testbed/clients/reading.py)."""

BUILT: Sequence[Sequence[Tool]] = (TOOLS, (READER,), BUILDKIT)
"""What is built together is in one folder."""

MOUNT_POINTS = ("client", "dev", "proc", "sys", "tmp", "var/tmp", "run", "opt/sandbox", "opt/clients")
MOUNTED_FILES = ("etc/hosts", "etc/resolv.conf", str(rootfs.TRUST_STORE))
"""The root file system is mounted read-only: what is mounted over it must be there."""
RECIPE = 1
"""Increase it when the steps that make the root file system from the packages change."""


def root(cache: Path) -> Path:
    """The root file system of the packages, whether it exists or not."""
    recipe = hashlib.sha256(repr((PACKAGES, MOUNT_POINTS, MOUNTED_FILES, RECIPE)).encode()).hexdigest()[:12]
    return cache / "rootfs" / f"clients-{recipe}"


def is_complete(cache: Path) -> bool:
    """Whether `install` has nothing left to do."""
    return root(cache).exists() and not any(tools.missing(cache, built) for built in BUILT)


def install(cache: Path) -> None:
    """Obtain what the cache lacks.

    Raises:
        SandboxError: Something cannot be obtained.
    """
    if not root(cache).exists():
        with step(f"unpacking {', '.join(PACKAGES[2:])} from the distribution's newest packages"):
            _unpack(root(cache))
    for built in BUILT:
        tools.build(cache, built)


def _unpack(target: Path) -> None:
    """Under its final name only when all of it is done."""
    draft = target.with_suffix(".part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    rootfs.unpack(draft, PACKAGES)
    for folder in MOUNT_POINTS:
        (draft / folder).mkdir(parents=True, exist_ok=True)
    for file in MOUNTED_FILES:
        (draft / file).parent.mkdir(parents=True, exist_ok=True)
        (draft / file).touch()
    draft.rename(target)
