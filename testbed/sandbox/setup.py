"""Installs what the sandbox lacks: Debian packages, Go programs, root filesystems.

No other part of the sandbox uses the network.
"""

import os
import platform
import sys

from testbed.sandbox import debian, rootfs, tools
from testbed.sandbox.archive import ARCHITECTURES
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.lock import lock
from testbed.sandbox.progress import step
from testbed.sandbox.world import STATE_VARIABLE, World


def setup(world: World) -> None:
    """Install and build what `up` needs; does nothing where all of it exists.

    Raises:
        SandboxError: Something cannot be obtained.
    """
    require_this_machine()
    with lock(world.cache):
        if packages := debian.missing_packages():
            with step(f"installing Debian packages: {', '.join(packages)}"):
                debian.install(packages)
        tools.build(world.cache)
        for module in (tools.GATEWAY_API, tools.PROMETHEUS_OPERATOR):
            tools.sources(*module)  # into Go's own cache, since inside the sandbox there is no network
        _fetch_root_filesystems(world)


def _fetch_root_filesystems(world: World) -> None:
    if not rootfs.nginx(world.cache).is_complete():
        with step(f"unpacking nginx {rootfs.required_nginx()} and njs from the distribution's newest packages"):
            rootfs.fetch_nginx(world.cache)
    if not rootfs.static(world.cache).is_complete():
        with step("unpacking busybox and catatonit for the other images"):
            rootfs.fetch_static(world.cache)
    if not rootfs.balancer(world.cache).is_complete():
        with step("unpacking HAProxy, which stands in the place of a load balancer"):
            rootfs.fetch_balancer(world.cache)
    if not rootfs.prometheus(world.cache).is_complete():
        with step("unpacking Prometheus"):
            rootfs.fetch_prometheus(world.cache)


def require_this_machine() -> None:
    """Check what the sandbox cannot install: system, processor and rights.

    Raises:
        SandboxError: Not Linux, not root, an unknown processor, or already inside a sandbox.
    """
    if sys.platform != "linux":
        raise SandboxError(f"the sandbox runs on Linux; this is {platform.system()}. Use a virtual machine")
    if platform.machine() not in ARCHITECTURES:
        raise SandboxError(f"processor {platform.machine()!r} is not supported; use one of {', '.join(ARCHITECTURES)}")
    if os.environ.get(STATE_VARIABLE):
        raise SandboxError("this command runs inside a sandbox already. Fix: leave its shell first")
    if os.geteuid() != 0:
        raise SandboxError("the sandbox makes namespaces and mounts: run it as root (sudo)")
