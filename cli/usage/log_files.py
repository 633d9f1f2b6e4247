"""Lines of files and of standard input, plain or compressed by gzip."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from lambda_fn.contract.errors import SettingsError

STANDARD_INPUT = Path("-")
_GZIP = b"\x1f\x8b"
"""https://www.rfc-editor.org/rfc/rfc1952#page-6"""
_LONGEST_LINE = 32 * 1024 * 1024
"""A message of a subscription holds many lines of the log in one. What is longer is read as several lines."""


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a file, or of standard input for `-`. What is not UTF-8 is replaced.

    Raises:
        SettingsError: It cannot be read, or its compressed content is damaged.
    """
    with ExitStack() as stack:
        try:
            stream = _stream(stack, path)
            while line := stream.readline(_LONGEST_LINE):
                yield line.decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error) as error:
            raise SettingsError(
                f"cannot read {path}: {getattr(error, 'strerror', None) or error}. Fix: name files of the access log, "
                "plain or compressed by gzip, or - for standard input"
            ) from error


def _stream(stack: ExitStack, path: Path) -> BinaryIO:
    # Both are buffered readers, which can look ahead.
    raw = cast("BufferedReader", sys.stdin.buffer if path == STANDARD_INPUT else stack.enter_context(path.open("rb")))
    if raw.peek(2)[:2] != _GZIP:
        return raw
    return cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=raw)))
