"""HAProxy in the place of a load balancer, and connections that begin with a PROXY protocol header.

HAProxy connects to nginx from an address that nginx trusts, and passes a client's address on by version 2 of the
protocol, as a Network Load Balancer does. https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT, PROXY_PROTOCOL_PORT
from testbed.sandbox import haproxy
from testbed.sandbox.world import World
from testbed.waiting import eventually
from tests.proxy.client import ADDRESS

BALANCER, STRANGER = "127.0.0.2", "127.0.0.1"
"""The address whose word about clients nginx believes, and one whose word it does not."""
SUBNETS = f'{{ subnet-12345678 = "{BALANCER}/32" }}'
PORT = 9443
STATUS_PORT = 9444
COMMAND_PORT = 9445
START_SECONDS = 20

Tls = Callable[[socket.socket], socket.socket]
"""Puts TLS over a connection."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_FAMILIES = {4: 0x11, 6: 0x21}
"""TCP over IPv4 or IPv6."""

_CONFIGURATION = """
global
    maxconn 500
    stats socket ipv4@{address}:{command_port} level admin
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    default-server inter 200ms fastinter 200ms rise 2 fall 2
frontend clients
    bind {address}:{port}{tls}
    use_backend plain if {{ nbsrv(plain) gt 0 }}
    default_backend pods
backend plain
    source {source}
    server pod {address}:{plain_port} disabled
backend pods
    source {source}
    option httpchk GET /-/ready
    http-check expect status 200
    server pod {address}:{pod_port} send-proxy-v2 check check-send-proxy{check}
frontend status
    mode http
    bind {address}:{status_port}
    http-request return status 200 content-type text/plain string up if {{ nbsrv(pods) gt 0 }}
    http-request return status 503 content-type text/plain string down
"""


@contextmanager
def balancer(folder: Path, world: World, *, terminates_tls: bool) -> Iterator[None]:
    """A load balancer on `PORT` in front of a pod: it ends TLS, or passes it through to a pod that ends it."""
    text = _CONFIGURATION.format(
        address=ADDRESS,
        port=PORT,
        tls=f" ssl crt {haproxy.PAIR}" if terminates_tls else "",
        source=BALANCER,
        pod_port=PROXY_PROTOCOL_PORT,
        check="" if terminates_tls else " check-ssl verify none",
        plain_port=HTTP_PORT if terminates_tls else HTTPS_PORT,
        status_port=STATUS_PORT,
        command_port=COMMAND_PORT,
    )
    with haproxy.running(world, folder, text) as process:
        if not eventually(lambda: healthy() or process.poll() is not None, START_SECONDS, pause_seconds=0.1):
            raise TimeoutError(f"the load balancer finds no healthy pod within {START_SECONDS} s")
        assert process.poll() is None, "HAProxy has ended"
        yield


def lead_to_plain_port(*, plain: bool) -> None:
    """Lead new connections to the pod's port without PROXY protocol, or back; those that are open stay where they are.

    As a Network Load Balancer does whose listener gets another target group.
    """
    with socket.create_connection((ADDRESS, COMMAND_PORT), timeout=START_SECONDS) as connection:
        connection.sendall(f"{'enable' if plain else 'disable'} server plain/pod\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.strip() == b"", answer


def healthy() -> bool:
    """Whether the load balancer finds the pod healthy, by checks that begin with the header too."""
    connection = HTTPConnection(ADDRESS, STATUS_PORT, timeout=START_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def header(client: str) -> bytes:
    """A PROXY protocol header, version 2, that names a client."""
    source = ip_address(client)
    target = ip_address(ADDRESS if source.version == 4 else "::1")
    addresses = source.packed + target.packed + struct.pack("!HH", 40000, 443)
    return _SIGNATURE + struct.pack("!BBH", 0x21, _FAMILIES[source.version], len(addresses)) + addresses


LOCAL = _SIGNATURE + struct.pack("!BBH", 0x20, 0, 0)
"""The header of a load balancer's own connection, without a client: a health check."""


def ask(
    path: str, *, source: str, port: int, beginning: bytes = b"", headers: str = "", tls: Tls | None = None
) -> bytes:
    """All of the response to one GET on a connection from `source` that begins with other bytes."""
    connection = socket.create_connection((ADDRESS, port), timeout=START_SECONDS, source_address=(source, 0))
    with closing(connection):
        connection.sendall(beginning)
        with closing(tls(connection) if tls else connection) as wrapped:
            wrapped.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode())
            return b"".join(iter(lambda: wrapped.recv(65536), b""))
