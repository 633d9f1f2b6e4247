"""HAProxy in front of the front door, in the place of a load balancer or an Ingress controller."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.sandbox import rootfs
from testbed.sandbox.world import World

FOLDER = "/srv"
"""Where its process finds its folder: one that every root file system has, because it is mounted read-only."""
PAIR = f"{FOLDER}/pair.pem"
"""The domain's certificate with its key, there."""
_STOP_SECONDS = 20

_HTTP_PROXY = f"""
global
    maxconn 500
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
frontend clients
    bind {{address}}:{{port}} ssl crt {PAIR} alpn h2,http/1.1
    option forwardfor
    default_backend pods
backend pods
    source {{source}}
    server pods {{server}}
"""


def http_proxy(*, address: str, port: int, server: str, source: str) -> str:
    """The configuration of a proxy that terminates TLS, speaks HTTP/2 with clients, and forwards their addresses.

    Args:
        address: Where clients connect.
        port: The port there.
        server: Where the pods are, as `HOST:PORT`.
        source: From which address it connects.
    """
    return _HTTP_PROXY.format(address=address, port=port, server=server, source=source)


@contextmanager
def running(world: World, folder: Path, configuration: str) -> Iterator["subprocess.Popen[bytes]"]:
    """HAProxy with this configuration until the block ends. It may not listen yet when the block begins.

    Args:
        world: The sandbox.
        folder: An empty one, for its configuration and the domain's certificate.
        configuration: Its text.
    """
    pair = world.pair("domain")
    (folder / "pair.pem").write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    (folder / "haproxy.cfg").write_text(configuration, encoding="utf-8")
    root = str(rootfs.balancer(world.cache).root)
    mounts = ("--ro-bind", root, "/", "--dev", "/dev", "--ro-bind", str(folder), FOLDER)
    command = ["bwrap", *mounts, "--die-with-parent", "--", "/usr/sbin/haproxy", "-db", "-f", f"{FOLDER}/haproxy.cfg"]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
