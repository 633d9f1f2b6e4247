"""The machine's package manager: distribution, mirror, and the programs that the sandbox runs."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError

PROGRAMS: Mapping[str, str] = {
    "bwrap": "bubblewrap",
    "chromium": "chromium",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "curl": "curl",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nsenter": "util-linux",
    "runc": "runc",
    "skopeo": "skopeo",
    "wrk": "wrk",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
    # With these the pictures of the page are the same on every machine.
    "/usr/share/fonts/opentype/inter/Inter-Regular.otf": "fonts-inter",
    "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf": "fonts-jetbrains-mono",
}
"""Program (or file) -> the package that brings it. An installed program, of any origin, is used as it is."""

POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by invoke-rc.d before it starts a service; 101 forbids it. See https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def distribution() -> Mapping[str, str]:
    """The fields of /etc/os-release."""
    with contextlib.suppress(FileNotFoundError):
        lines = Path("/etc/os-release").read_text().splitlines()
        return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines) if value}
    return {}


def missing_packages() -> Sequence[str]:
    """The packages whose programs are not on this machine."""
    return sorted({package for program, package in PROGRAMS.items() if not _is_there(program)})


def install(packages: Sequence[str]) -> None:
    """Install packages without asking, and without starting or enabling any service that comes with them.

    Raises:
        SandboxError: There is no apt, or it fails; or containerd's service runs afterwards.
    """
    if not shutil.which("apt-get"):
        raise SandboxError(f"apt-get is not installed. Fix: install these packages by hand: {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        run(("apt-get", "-qq", "update"), environment=environment)
        run(("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages), environment=environment)
    if "containerd" in packages:
        _keep_service_down("containerd")
    if still := missing_packages():
        raise SandboxError(f"{', '.join(still)} is missing although apt-get has installed {', '.join(packages)}")


def mirror() -> str:
    """The address of the mirror apt is set up with for the distribution itself.

    Raises:
        SandboxError: apt has no such mirror.
    """
    codename = distribution().get("VERSION_CODENAME", "")
    targets = run(("apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)", "Created-By: Packages"))
    for line in targets.splitlines():
        release, _, site = line.partition(" ")
        if release == codename:
            return site
    raise SandboxError(f"apt has no mirror for {codename!r}; see /etc/apt/sources.list and /etc/apt/sources.list.d/")


def download_options() -> Sequence[str]:
    """Apt's download options on this machine (proxies, retries, snapshots), as `name "value";`."""
    names = ("Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::Check-Valid-Until")
    lines = run(("apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', *names)).splitlines()
    return [line for line in lines if line]


def _is_there(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    return bool(shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"))


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """While it lasts, packages start no service. An existing policy stays as it is."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _keep_service_down(service: str) -> None:
    """Undo what the package has set up for the next boot, where systemd runs, and check that it runs nothing now."""
    if not Path("/run/systemd/system").exists():
        return
    run(("systemctl", "disable", "--quiet", service))
    if subprocess.run(("systemctl", "is-active", "--quiet", service), check=False).returncode == 0:
        raise SandboxError(
            f"the installation of {service} has started its service. Fix: stop it with `systemctl stop {service}`"
        )
