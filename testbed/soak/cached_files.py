"""The files of nginx's cache on a volume: which there are, how they are damaged, and how a large cache is pretended."""

import hashlib
import json
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

SLICE_BYTES = 4 << 20
_HEADER_BYTES = 336
"""Of ngx_http_file_cache_header_t."""
_VERSION_BYTES = 8
_SLICES_OF_A_BLOB = 256
_BLOB_BYTES = (1 + _SLICES_OF_A_BLOB) * SLICE_BYTES
"""The first slice is not cached, as if nginx had evicted it: the content of a whole blob would not have its digest."""
_VALID_SECONDS = 365 * 86_400

Damage = Callable[[Path, random.Random], None]


def cached(cache: Path, *zones: str) -> list[Path]:
    """The complete files of zones, by default of blobs and manifests, in an order that is always the same."""
    found = (file for zone in zones or ("blobs", "manifests") for file in (cache / zone).glob("*/*/*"))
    return sorted(file for file in found if "." not in file.name)


def noted(cache: Path) -> set[str]:
    """The names of the files whose checksums the scrub has noted."""
    return {name for file in (cache / "checksums").glob("*-??") for name in json.loads(file.read_text())}


def key(file: Path) -> str:
    """The key of an entry, for example `sha256:... bytes=0-4194303`."""
    with file.open("rb") as opened:
        return opened.read(1000)[_HEADER_BYTES:].split(b"\n", 2)[1].removeprefix(b"KEY: ").decode()


def flip(file: Path, chance: random.Random, first: int = _VERSION_BYTES) -> None:
    """Change one bit, at the byte `first` or later, and not the file's time of modification.

    By default the format's version stays: nginx itself passes over a file of another one.
    """
    times = file.stat()
    at = chance.randrange(first, times.st_size)
    with file.open("r+b") as opened:
        opened.seek(at)
        changed = bytes([opened.read(1)[0] ^ 1 << chance.randrange(8)])
        opened.seek(at)
        opened.write(changed)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut(file: Path, chance: random.Random) -> None:
    """Cut a file short, by at least a byte."""
    os.truncate(file, chance.randrange(1, file.stat().st_size))


def empty(file: Path, _: random.Random) -> None:
    """Leave no byte."""
    os.truncate(file, 0)


def pretend(cache: Path, gib: int) -> None:
    """Write entries of slices whose bodies are holes: they have the size of real ones, and take no space."""
    now = int(time.time())
    for number in range(gib * (1 << 30) // SLICE_BYTES):
        blob, index = divmod(number, _SLICES_OF_A_BLOB)
        _pretend_slice(cache, f"sha256:{blob:064x}", (1 + index) * SLICE_BYTES, now)


def _pretend_slice(cache: Path, digest: str, first: int, now: int) -> None:
    last = first + SLICE_BYTES - 1
    name_of = f"{digest} bytes={first}-{last}"
    head = (
        f"HTTP/1.1 206 Partial Content\r\nContent-Length: {SLICE_BYTES}\r\n"
        f"Content-Range: bytes {first}-{last}/{_BLOB_BYTES}\r\n\r\n"
    )
    header = bytearray(_HEADER_BYTES)
    struct.pack_into("<QQ", header, 0, 5, now + _VALID_SECONDS)
    head_at = _HEADER_BYTES + len(f"\nKEY: {name_of}\n")
    struct.pack_into("<HH", header, 54, head_at, head_at + len(head))
    name = hashlib.md5(name_of.encode(), usedforsecurity=False).hexdigest()
    file = cache / "blobs" / name[31] / name[29:31] / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.write(bytes(header) + f"\nKEY: {name_of}\n{head}".encode())
        opened.truncate(opened.tell() + SLICE_BYTES)
