"""What a registry says of an image, as far as the canary asks. It comes from outside: anything may be in it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambda_fn.errors import CanaryError
from lambda_fn.redact import excerpt

BLOB_LIMIT_BYTES = 16 << 20
_WORDS_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a blob, or an index of a manifest."""

    digest: str
    size_bytes: int


def parse_manifest(path: str, content: bytes) -> dict[str, Any]:
    """A manifest or an index.

    Raises:
        CanaryError: It is something else.
    """
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):  # RecursionError: brackets, thousands deep
        manifest = None
    if not isinstance(manifest, dict):
        said = content[:_WORDS_BYTES].decode(errors="replace")
        raise CanaryError(f"GET {path} brought no manifest: {excerpt(said)}")
    return manifest


def first_child(manifest: Mapping[str, Any]) -> str | None:
    """The digest of the first manifest of an index; None of a manifest."""
    return next((blob.digest for blob in _descriptors(manifest.get("manifests"))), None)


def smallest_blob(manifest: Mapping[str, Any]) -> Descriptor:
    """The smallest of a manifest's configuration and layers.

    Raises:
        CanaryError: It has none, or none that is small enough.
    """
    layers = manifest.get("layers")
    blobs = _descriptors([manifest.get("config"), *(layers if isinstance(layers, list) else [])])
    smallest = min(blobs, key=lambda blob: blob.size_bytes, default=None)
    if smallest is None or smallest.size_bytes > BLOB_LIMIT_BYTES:
        raise CanaryError(f"the canary's image has no blob of at most {BLOB_LIMIT_BYTES} bytes: choose another image")
    return smallest


def _descriptors(found: object) -> list[Descriptor]:
    """Those of a list that are descriptors: it comes from outside."""
    entries: list[dict[str, Any]] = (
        [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    )
    pairs = [(entry.get("digest"), entry.get("size")) for entry in entries]
    return [Descriptor(digest, size) for digest, size in pairs if isinstance(digest, str) and isinstance(size, int)]


def check(path: str, content: bytes, digest: str, size_bytes: int | None = None) -> None:
    """Return when `content` is what its digest (and size) says.

    Raises:
        CanaryError: It is not.
    """
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest or size_bytes not in {None, len(content)}:
        raise CanaryError(
            f"GET {path} brought {len(content)} bytes with digest {found}, which is not what was asked for"
        )
