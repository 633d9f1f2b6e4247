"""The bytes of a layer: a file, or bytes generated from their offset, for layers larger than memory and disk."""

import hashlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

_PAGE_BYTES = 1024 * 1024


class Content(Protocol):
    """The bytes of a layer, at any offset."""

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""

    @property
    def modified_at(self) -> float:
        """Seconds since the epoch."""

    def read(self, at: int, size_bytes: int) -> bytes:
        """At least one byte and at most so many from the offset on."""


@dataclass(frozen=True)
class Stored:
    """The bytes of a file."""

    file: Path

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return self.file.stat().st_size

    @property
    def modified_at(self) -> float:
        """Seconds since the epoch."""
        return self.file.stat().st_mtime

    @cached_property
    def _descriptor(self) -> int:
        return os.open(self.file, os.O_RDONLY)

    def read(self, at: int, size_bytes: int) -> bytes:
        """At most so many bytes from the offset on."""
        return os.pread(self._descriptor, size_bytes, at)

    def __del__(self) -> None:
        """Close the file."""
        if "_descriptor" in self.__dict__:
            os.close(self._descriptor)


@dataclass(frozen=True)
class Generated:
    """Bytes that are not stored: pages of 1 MiB, each with its number in front, so that swapped slices show.

    Attributes:
        size_bytes: How many bytes it has.
        seed: Another seed gives other bytes.
        page: The part that all pages share: each has its number in the place of the first eight bytes.
    """

    size_bytes: int
    seed: int
    modified_at: float = 0
    page: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the page."""
        object.__setattr__(self, "page", random.Random(self.seed).randbytes(_PAGE_BYTES))  # noqa: S311 - not a secret

    def read(self, at: int, size_bytes: int) -> bytes:
        """At most so many bytes from the offset on, of one page."""
        number, offset = divmod(at, _PAGE_BYTES)
        end = min(offset + size_bytes, _PAGE_BYTES, self.size_bytes - number * _PAGE_BYTES)
        head = number.to_bytes(8, "big")[offset:end]
        return head + self.page[max(offset, 8) : end]

    def part(self, begin: int, end: int) -> bytes:
        """The bytes from one offset to before another, of any number of pages."""
        found = bytearray()
        while begin + len(found) < end:
            found += self.read(begin + len(found), end - begin - len(found))
        return bytes(found)

    def digest(self) -> str:
        """SHA-256, in hex; about a second for each GiB."""
        found = hashlib.sha256()
        for chunk in self._chunks():
            found.update(chunk)
        return found.hexdigest()

    def _chunks(self) -> Iterator[bytes]:
        for at in range(0, self.size_bytes, _PAGE_BYTES):
            yield self.read(at, _PAGE_BYTES)
