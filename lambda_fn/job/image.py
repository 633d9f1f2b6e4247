"""Manifests and indexes, as far as a pull reads them. They come from outside: anything may be in them. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambda_fn.contract.errors import CanaryError, FrontdoorError
from lambda_fn.job.redact import excerpt

BLOB_LIMIT_BYTES = 16 << 20
_QUOTED_BYTES = 2000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A manifest's entry for a blob, or an index's entry for a manifest."""

    digest: str
    size_bytes: int


def parse_manifest(asked: str, content: bytes, error: type[FrontdoorError] = CanaryError) -> dict[str, Any]:
    """A manifest or an index.

    Args:
        asked: The request, for the message.
        content: The answer.
        error: What is raised where it is something else.

    Raises:
        FrontdoorError: It is.
    """
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):  # RecursionError: brackets, thousands deep
        manifest = None
    if not isinstance(manifest, dict):
        text = content[:_QUOTED_BYTES].decode(errors="replace")
        raise error(f"{asked} returned something that is not a manifest: {excerpt(text)}")
    return manifest


def first_child(manifest: Mapping[str, Any]) -> str | None:
    """The digest of the first manifest of an index; None of a manifest.

    Raises:
        CanaryError: The index lists something else.
    """
    return next((_descriptor(entry).digest for entry in _listed(manifest, "manifests")), None)


def smallest_blob(manifest: Mapping[str, Any]) -> Descriptor:
    """The smallest of a manifest's configuration and layers.

    Raises:
        CanaryError: It has none, none that is small enough, or something else in their place.
    """
    config = manifest.get("config")
    entries = [*([] if config is None else [config]), *_listed(manifest, "layers")]
    smallest = min(map(_descriptor, entries), key=lambda blob: blob.size_bytes, default=None)
    if smallest is None or smallest.size_bytes > BLOB_LIMIT_BYTES:
        raise CanaryError(
            f"the canary's image has no blob of at most {BLOB_LIMIT_BYTES} bytes. Fix: choose another image in [canary]"
        )
    return smallest


def _listed(manifest: Mapping[str, Any], key: str) -> list[object]:
    found = manifest.get(key)
    if found is None or isinstance(found, list):
        return found or []
    raise CanaryError(f"the canary's image has {key} that is not a list: {_shown(found)}")


def _descriptor(entry: object) -> Descriptor:
    """https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties ."""
    if isinstance(entry, dict):
        digest: Any = entry.get("digest")
        size: Any = entry.get("size")
        counted = isinstance(size, int) and not isinstance(size, bool)  # to Python, true is 1
        if counted and size >= 0 and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return Descriptor(digest, size)
    raise CanaryError(
        f"the canary's image lists an entry without a SHA-256 digest and a size in bytes: {_shown(entry)}"
    )


def _shown(value: object) -> str:
    try:
        return excerpt(json.dumps(value)[:_QUOTED_BYTES])
    except RecursionError:  # the reader takes deeper brackets than the writer
        return "brackets, thousands deep"


def check(path: str, content: bytes, digest: str, size_bytes: int | None = None) -> None:
    """Return when `content` is what its digest (and size) says.

    Raises:
        CanaryError: It is not.
    """
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest or size_bytes not in {None, len(content)}:
        raise CanaryError(
            f"GET {path} returned {len(content)} bytes with digest {found}, and not the content of that digest"
        )
