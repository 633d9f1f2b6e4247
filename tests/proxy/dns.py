"""A DNS server and a TCP relay for one test, so that names can vanish and change their addresses."""

import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from testbed.waiting import wait_until

HTTPS = 443

Names = Mapping[str, str | tuple[str, ...]]
"""Name -> its address or addresses."""


class NameServer:
    """Dnsmasq, whose answers have a TTL of one second.

    It refuses unknown names, like a server without an upstream. Those that end in `zone` do not exist (NXDOMAIN).
    """

    def __init__(self, address: str, hosts: Path, *, zone: str = "") -> None:
        self.address = address
        self._zone = zone
        self._hosts = hosts
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start to answer."""
        command = (
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--log-facility=-", "--pid-file",
            f"--listen-address={self.address}", "--bind-interfaces", "--no-resolv", "--no-hosts",
            f"--addn-hosts={self._hosts}", "--local-ttl=1", *([f"--local=/{self._zone}/"] if self._zone else []),
        )  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - dnsmasq
        wait_until(self._listens, "dnsmasq listens")

    def stop(self) -> None:
        """Stop to answer."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def tell(self, names: Names) -> None:
        """Know these names and no others, from now on."""
        known = {name: (value,) if isinstance(value, str) else value for name, value in names.items()}
        self._hosts.write_text(
            "".join(f"{address}\t{name}\n" for name, addresses in known.items() for address in addresses)
        )
        if self._process:
            self._process.send_signal(signal.SIGHUP)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection((self.address, 53), timeout=1):
            return True
        return False


class Relay(ThreadingTCPServer):
    """Relays TCP connections from one address to another, and counts them in `connections`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str, to: str) -> None:
        super().__init__((address, HTTPS), _Connection)
        self.to = (to, HTTPS)
        self.connections = 0
        self._open: list[socket.socket] = []
        Thread(target=self.serve_forever, daemon=True).start()

    def take(self, *ends: socket.socket) -> None:
        """Remember both ends of a connection."""
        self.connections += 1
        self._open += ends

    def close(self) -> None:
        """Stop, and cut the open connections."""
        self.shutdown()
        self.server_close()
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class _Connection(BaseRequestHandler):
    server: Relay
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.to) as far:
            self.server.take(self.request, far)
            back = Thread(target=_copy, args=(far, self.request))
            back.start()
            _copy(self.request, far)
            back.join()


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while read := source.recv(65536):
            to.sendall(read)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
