"""What a connection of a hostile client sends, for each kind of attack. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LARGEST_WINDOW = 0x7FFFFFFF


@dataclass(frozen=True)
class Kind:
    """What a connection sends.

    Attributes:
        first: At once, made from the path and the number of streams.
        drip: Every two seconds; nothing: it stays silent.
        http2: Whether it speaks HTTP/2, over TLS.
    """

    first: Callable[[str, int], bytes]
    drip: bytes = b""
    http2: bool = False


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


def _begun(path: str) -> bytes:
    """A request without the end of its header."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()


KINDS: Mapping[str, Kind] = {
    "idle": Kind(lambda _path, _streams: b""),
    "kept-alive": Kind(lambda _path, _streams: b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "unfinished-header": Kind(lambda path, _: _begun(path), b"X: y\r\n"),
    "body": Kind(lambda path, _: _begun(path) + b"Content-Length: 1000\r\n\r\n", b"x"),
    "7k-header": Kind(lambda path, _: _begun(path) + _headers(7_000), b"X: y\r\n"),
    "24k-header": Kind(lambda path, _: _begun(path) + _headers(24_000), b"X: y\r\n"),
    "unread-body": Kind(lambda path, _: _begun(path) + b"\r\n"),
    "unread-range": Kind(lambda path, _: _begun(path) + b"Range: bytes=0-999999999\r\n\r\n"),
    "unread-streams": Kind(_streams, http2=True),
    "unended-streams": Kind(lambda path, count: _streams(path, count, ended=False), http2=True),
}
