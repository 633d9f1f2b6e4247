"""Root filesystems from Debian (or Ubuntu) packages, unpacked without a container runtime, kept in the user's cache."""

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox import debian
from testbed.sandbox.archive import Layer
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError

OLDEST_NGINX = (1, 27, 4)
"""The first with `ssl_certificate_cache` and `keepalive_min_timeout`: https://nginx.org/en/CHANGES."""

SUITES = {"debian": ("sid", "main"), "ubuntu": ("devel", "main,universe")}
"""Distribution -> its newest suite, where a current nginx is, and the components that hold it."""

NGINX_PACKAGES = ("base-files", "busybox-static", "ca-certificates", "libnginx-mod-http-js", "nginx")
STATIC_PACKAGES = ("busybox-static", "catatonit")
APPLETS = ("awk", "cat", "cp", "env", "grep", "ls", "rm", "sh", "sleep", "wget")

MOUNT_POINTS = (
    "dev", "proc", "sys", "tmp", "run/frontdoor", "var/cache/frontdoor",
    "etc/frontdoor/config", "etc/frontdoor/scripts", "etc/frontdoor/credential", "etc/frontdoor/tls",
)  # fmt: skip
"""Folders the pod mounts over: a read-only root filesystem must have them."""

TRUST_STORE = Path("etc/ssl/certs/ca-certificates.crt")
USELESS = (
    "dev",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "var/lib/apt",
    "var/cache/apt",
)
"""Device nodes above all: containers get their own, and reading one never ends."""
RECIPE = 2
"""Counted up when what is made of the packages changes."""


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
        """Whether it can be used; a broken-off download never looks complete, since it is made under another name."""
        return self.blob.exists()


def nginx(cache: Path) -> Rootfs:
    """Where the nginx root filesystem lies, or will lie."""
    return _rootfs(cache, "nginx", NGINX_PACKAGES)


def static(cache: Path) -> Rootfs:
    """Where the statically linked programs of the other images lie, or will lie."""
    return _rootfs(cache, "static", STATIC_PACKAGES)


def fetch_nginx(cache: Path) -> str:
    """Obtain the nginx root filesystem unless it is there; returns nginx's version.

    Raises:
        SandboxError: The packages cannot be had, or their nginx is too old.
    """
    rootfs = nginx(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, NGINX_PACKAGES, _complete_nginx)
    return nginx_version(rootfs.root)


def fetch_static(cache: Path) -> None:
    """Obtain the statically linked programs unless they are there."""
    rootfs = static(cache)
    if not rootfs.is_complete():
        _fetch(rootfs, STATIC_PACKAGES, lambda _: None)


def newest_suite(distribution: Mapping[str, str]) -> tuple[str, str]:
    """The newest suite, and the components, of the distribution /etc/os-release describes.

    Raises:
        SandboxError: It is neither of those in `SUITES` nor made from one.
    """
    for name in (distribution.get("ID", ""), *distribution.get("ID_LIKE", "").split()):
        if name in SUITES:
            return SUITES[name]
    raise SandboxError(f"distribution {distribution.get('ID')!r} is not supported; use one of {', '.join(SUITES)}")


def nginx_version(root: Path) -> str:
    """The version nginx itself states, `1.30.6` for example.

    Raises:
        SandboxError: It does not run, or is too old.
    """
    output = run(("chroot", root, "/bin/sh", "-c", "/usr/sbin/nginx -v 2>&1"))
    match = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", output)
    if not match or tuple(map(int, match.groups())) < OLDEST_NGINX:
        oldest = ".".join(map(str, OLDEST_NGINX))
        raise SandboxError(f"nginx in {root} says {output.strip()!r}; at least {oldest} is needed")
    return ".".join(match.groups())


def _rootfs(cache: Path, name: str, packages: Sequence[str]) -> Rootfs:
    recipe = hashlib.sha256(repr((name, packages, APPLETS, RECIPE)).encode()).hexdigest()[:12]
    return Rootfs(cache / "rootfs" / f"{name}-{recipe}")


def _fetch(rootfs: Rootfs, packages: Sequence[str], complete: Callable[[Path], None]) -> None:
    """Unpack, complete, pack; under its final name only when all of it is done."""
    draft = Rootfs(rootfs.folder.with_suffix(".part"))
    shutil.rmtree(draft.folder, ignore_errors=True)
    draft.folder.mkdir(parents=True)
    suite, components = newest_suite(debian.distribution())
    options = [f"--aptopt={option}" for option in debian.download_options()]
    run((
        "mmdebstrap", "--quiet", "--variant=extract", "--mode=root", f"--components={components}",
        f"--include={','.join(packages)}", *options, "--skip=check/empty", suite, draft.root, debian.mirror(),
    ))  # fmt: skip
    for useless in USELESS:
        shutil.rmtree(draft.root / useless, ignore_errors=True)
    complete(draft.root)
    Layer.of_directory(draft.root, draft.blob)
    shutil.rmtree(rootfs.folder, ignore_errors=True)
    draft.folder.rename(rootfs.folder)


def _complete_nginx(root: Path) -> None:
    """Do by hand what the packages' installation scripts would do: a user, the tools of a shell, a trust store."""
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
    nginx_version(root)
