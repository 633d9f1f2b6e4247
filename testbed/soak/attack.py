"""A hostile client: thousands of connections from one address, each unfinished in one way, for some time.

`python -m testbed.soak.attack KIND --connections N --seconds S`. A connection that the server closes is opened again.
It prints one JSON object. Load goes to loopback and the sandbox's own pods only.
"""

import argparse
import json
import select
import socket
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import cycle

from testbed.soak import programs
from testbed.soak.attack_kinds import KINDS

DRIP_SECONDS = 2
CONNECTING_AT_ONCE = 256
IP_BIND_ADDRESS_NO_PORT = 24


@dataclass
class Score:
    """What became of the connections."""

    opened: int = 0
    closed: int = 0
    held_peak: int = 0


class Attack:
    """Connections of one kind from one address, kept at their number."""

    def __init__(
        self, firsts: Sequence[bytes], drip: bytes, *, target: tuple[str, int], source: str, tls: bool
    ) -> None:
        self._firsts, self._drip, self._target, self._source = cycle(firsts), drip, target, source
        self._context = _context() if tls else None
        self._held: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        self.score = Score()

    def run(self, connections: int, seconds: float) -> Score:
        """Hold the connections until the time has passed."""
        end = next_drip = time.monotonic()
        end += seconds
        while time.monotonic() < end:
            for _ in range(min(CONNECTING_AT_ONCE, connections - len(self._held))):
                self._open()
            self._drop_closed()
            self.score.held_peak = max(self.score.held_peak, len(self._held))
            if self._drip and time.monotonic() > next_drip:
                next_drip = time.monotonic() + DRIP_SECONDS
                self._send_drips()
        return self.score

    def _open(self) -> None:
        raw = socket.socket()
        try:
            # The port is chosen by `connect`: to find a free one here takes 20 ms after thousands of connections.
            raw.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            raw.bind((self._source, 0))
            raw.settimeout(5)
            raw.connect(self._target)
            made = self._context.wrap_socket(raw) if self._context else raw
            made.sendall(next(self._firsts))
            made.settimeout(0)
        except OSError:
            raw.close()
            return
        self._held[made.fileno()] = made
        # An unread connection is watched for its end only.
        self._poll.register(made.fileno(), select.EPOLLRDHUP)
        self.score.opened += 1

    def _drop_closed(self) -> None:
        for descriptor, _ in self._poll.poll(0.01, 4096):
            self._poll.unregister(descriptor)
            self._held.pop(descriptor).close()
            self.score.closed += 1

    def _send_drips(self) -> None:
        for held in self._held.values():
            with suppress(OSError):
                held.send(self._drip)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def command(kind: str, options: Mapping[str, object]) -> list[str]:
    """The words that start this program for one kind of attack, with its options by name."""
    return programs.words("testbed.soak.attack", kind, options)


def main() -> int:
    """Attack."""
    parser = argparse.ArgumentParser(prog="python -m testbed.soak.attack", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--streams", type=int, default=120, help="of each HTTP/2 connection [%(default)s]")
    parser.add_argument("--path", action="append", help="one connection after the other has the next [/v2/]")
    parser.add_argument("--target", default="127.0.0.1:8080")
    parser.add_argument("--source", default="127.1.0.1")
    arguments = parser.parse_args()
    host, _, port = arguments.target.partition(":")
    kind = KINDS[arguments.kind]
    attack = Attack(
        [kind.first(path, arguments.streams) for path in arguments.path or ["/v2/"]],
        kind.drip,
        target=(host, int(port)),
        source=arguments.source,
        tls=kind.http2,
    )
    json.dump(asdict(attack.run(arguments.connections, arguments.seconds)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
