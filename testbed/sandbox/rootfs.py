"""Root filesystems from Debian (or Ubuntu) packages, unpacked without a container runtime, in the user's cache."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambda_fn.settings import Proxy
from testbed.sandbox import debian
from testbed.sandbox.archive import Layer
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError

SHIPPED_NGINX = str(Proxy.model_fields["image"].default).rpartition(":")[2]
"""The version that the rules are proven on: that of the image which `proxy.image` names by default."""

NGINX_VARIABLE = "FRONTDOOR_NGINX_VERSION"
"""Environment variable that requires another version of nginx, to try it before the default image is changed."""

MIRROR_VARIABLE = "FRONTDOOR_DEBIAN_MIRROR"
"""Environment variable with the mirror of the root filesystems, for example a snapshot that still has a version."""

SUITES = {"debian": ("sid", "main"), "ubuntu": ("devel", "main,universe")}
"""Distribution -> its newest suite, where a current nginx is, and the components that hold it."""

NGINX_PACKAGES = ("base-files", "busybox-static", "ca-certificates", "libnginx-mod-http-js", "nginx")
STATIC_PACKAGES = ("busybox-static", "catatonit")
BALANCER_PACKAGES = ("base-files", "haproxy")
PROMETHEUS_PACKAGES = ("base-files", "prometheus")
BALANCER_MOUNT_POINTS = ("dev", "srv")
APPLETS = ("awk", "cat", "cp", "env", "grep", "ls", "rm", "sh", "sleep", "wget")

MOUNT_POINTS = (
    "dev", "proc", "sys", "tmp", "run/frontdoor", "var/cache/frontdoor",
    "etc/frontdoor/config", "etc/frontdoor/scripts", "etc/frontdoor/credential", "etc/frontdoor/tls",
)  # fmt: skip
"""Mount points of the pod: a read-only root filesystem must have them."""

TRUST_STORE = Path("etc/ssl/certs/ca-certificates.crt")
UNUSED = (
    "dev",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "var/lib/apt",
    "var/cache/apt",
)
"""Removed: above all device nodes, since containers get their own and reading one never ends."""
RECIPE = 2
"""Increase it when the steps that make a root filesystem from the packages change."""


@dataclass(frozen=True, slots=True)
class Rootfs:
    """An unpacked root filesystem and the same as an image layer."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root folder."""
        return self.folder / "root"

    @property
    def blob(self) -> Path:
        """The gzipped tar of it."""
        return self.folder / "layer.tar.gz"

    def is_complete(self) -> bool:
        """Whether it can be used. An interrupted download is never complete: it has another name until the end."""
        return self.blob.exists()


def nginx(cache: Path) -> Rootfs:
    """The folder of the nginx root filesystem, one for each required version, whether it exists or not."""
    return _rootfs(cache, f"nginx-{required_nginx()}", NGINX_PACKAGES)


def required_nginx() -> str:
    """The exact version of nginx that the sandbox runs: the shipped image's, unless the environment names another."""
    return os.environ.get(NGINX_VARIABLE) or SHIPPED_NGINX


def static(cache: Path) -> Rootfs:
    """The folder of the statically linked programs of the other images, whether it exists or not."""
    return _rootfs(cache, "static", STATIC_PACKAGES)


def fetch_nginx(cache: Path) -> str:
    """Obtain the nginx root filesystem unless the cache has it; returns nginx's version.

    Raises:
        SandboxError: The packages cannot be obtained, or have another version of nginx than the required one.
    """
    rootfs = nginx(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, NGINX_PACKAGES, _complete_nginx)
    return nginx_version(rootfs.root)


def fetch_static(cache: Path) -> None:
    """Obtain the statically linked programs unless the cache has them."""
    rootfs = static(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, STATIC_PACKAGES, lambda _: None)


def balancer(cache: Path) -> Rootfs:
    """The folder of HAProxy, which stands in the place of a load balancer, whether it exists or not."""
    return _rootfs(cache, "balancer", BALANCER_PACKAGES)


def fetch_balancer(cache: Path) -> None:
    """Obtain HAProxy unless the cache has it."""
    rootfs = balancer(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, BALANCER_PACKAGES, _complete_balancer)


def prometheus(cache: Path) -> Rootfs:
    """The folder of Prometheus and promtool, whether it exists or not."""
    return _rootfs(cache, "prometheus-server", PROMETHEUS_PACKAGES)


def fetch_prometheus(cache: Path) -> None:
    """Obtain Prometheus and promtool unless the cache has it."""
    rootfs = prometheus(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, PROMETHEUS_PACKAGES, _complete_prometheus)


def newest_suite(distribution: Mapping[str, str]) -> tuple[str, str]:
    """The newest suite, and the components, of the distribution /etc/os-release describes.

    Raises:
        SandboxError: It is neither in `SUITES` nor derived from one that is.
    """
    for name in (distribution.get("ID", ""), *distribution.get("ID_LIKE", "").split()):
        if name in SUITES:
            return SUITES[name]
    raise SandboxError(f"distribution {distribution.get('ID')!r} is not supported; use one of {', '.join(SUITES)}")


def nginx_version(root: Path) -> str:
    """The version nginx itself states, `1.30.6` for example.

    Raises:
        SandboxError: It does not run.
    """
    output = run(("chroot", root, "/bin/sh", "-c", "/usr/sbin/nginx -v 2>&1"))
    if not (match := re.search(r"nginx/(\d+\.\d+\.\d+)", output)):
        raise SandboxError(f"nginx in {root} does not print its version: {output.strip()!r}")
    return match[1]


def require_nginx(found: str, required: str) -> None:
    """Compare the version of the packages with the required one.

    Raises:
        SandboxError: They differ.
    """
    if found != required:
        raise SandboxError(
            f"the mirror has nginx {found}, but {required} is required. Fix: set {MIRROR_VARIABLE} to a snapshot that "
            f"has {required}; or try {found} with {NGINX_VARIABLE}={found}, and change the default of proxy.image when "
            "the suites pass"
        )


def _rootfs(cache: Path, name: str, packages: Sequence[str]) -> Rootfs:
    recipe = hashlib.sha256(repr((name, packages, APPLETS, RECIPE)).encode()).hexdigest()[:12]
    return Rootfs(cache / "rootfs" / f"{name}-{recipe}")


def unpack(root: Path, packages: Sequence[str]) -> None:
    """Unpack packages of the newest suite, and what they depend on, without running their installation scripts.

    Raises:
        SandboxError: The packages cannot be obtained.
    """
    suite, components = newest_suite(debian.distribution())
    options = [f"--aptopt={option}" for option in debian.download_options()]
    if mirror := os.environ.get(MIRROR_VARIABLE, ""):
        options.append('--aptopt=Acquire::Check-Valid-Until "false";')  # a snapshot's index has expired
    run((
        "mmdebstrap", "--quiet", "--variant=extract", "--mode=root", f"--components={components}",
        f"--include={','.join(packages)}", *options, "--skip=check/empty", suite, root, mirror or debian.mirror(),
    ))  # fmt: skip
    for unused in UNUSED:
        shutil.rmtree(root / unused, ignore_errors=True)


def _fetch(rootfs: Rootfs, packages: Sequence[str], complete: Callable[[Path], None]) -> None:
    """Unpack, complete, pack; under its final name only when all of it is done."""
    draft = Rootfs(rootfs.folder.with_suffix(".part"))
    shutil.rmtree(draft.folder, ignore_errors=True)
    draft.folder.mkdir(parents=True)
    unpack(draft.root, packages)
    complete(draft.root)
    Layer.of_directory(draft.root, draft.blob)
    shutil.rmtree(rootfs.folder, ignore_errors=True)
    draft.folder.rename(rootfs.folder)


def _complete_balancer(root: Path) -> None:
    """Make the mount points: of devices, and of the configuration."""
    for folder in BALANCER_MOUNT_POINTS:
        (root / folder).mkdir(exist_ok=True)


def _complete_prometheus(root: Path) -> None:
    """Remove the server's pages: its API is what is used."""
    shutil.rmtree(root / "usr" / "share")


def _complete_nginx(root: Path) -> None:
    """Do the work of the packages' installation scripts: a user, the tools of a shell, a trust store."""
    for applet in APPLETS:
        link = root / "usr" / "bin" / applet
        link.unlink(missing_ok=True)
        link.symlink_to("busybox")
    (root / "etc" / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nnginx:x:101:101:nginx:/nonexistent:/bin/false\n"
    )
    (root / "etc" / "group").write_text("root:x:0:\nnginx:x:101:\n")
    for folder in MOUNT_POINTS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    certificates = sorted((root / "usr" / "share" / "ca-certificates").rglob("*.crt"))
    (root / TRUST_STORE).write_bytes(b"".join(certificate.read_bytes() for certificate in certificates))
    require_nginx(nginx_version(root), required_nginx())
