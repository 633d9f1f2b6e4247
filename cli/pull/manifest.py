"""Manifests and indexes, as far as a pull reads them. They come from outside: anything may be in them. Pure."""

import hashlib
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_fn.contract.errors import FrontdoorError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Python's names of processors, and those of images."""
_LARGEST_BYTES = 1 << 50
"""No blob is larger; an integer of JSON may have thousands of digits."""
_PLATFORM = re.compile(r"[A-Za-z0-9._+/-]{1,100}", re.ASCII)


class PullError(FrontdoorError):
    """The pull failed; the message names the request, the cause and the fix."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a manifest or an index lists.

    Attributes:
        kind: `manifest`, `config` or `layer`.
        digest: Its digest.
        size_bytes: Its size.
        platform: Of a manifest in an index: such as `linux/arm64/v8`; empty for others.
    """

    kind: str
    digest: str
    size_bytes: int
    platform: str = ""


def own_platform() -> str:
    """What a client on this machine asks for; images for containers are for Linux."""
    machine = platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def manifest_for(index: Mapping[str, Any], wanted: str) -> Part:
    """The manifest of an index for a platform. `linux/arm64` also means its variants, the first of them.

    Raises:
        PullError: There is none; lists those that there are.
    """
    listed = list(_parts(index, "manifests", "manifest"))
    found = next((part for part in listed if part.platform == wanted or part.platform.startswith(f"{wanted}/")), None)
    if not found:
        names = ", ".join(sorted({part.platform for part in listed} - {"", "unknown/unknown"})) or "none"
        raise PullError(f"the image has no platform {wanted}. Fix: choose one with --platform: {names}")
    return found


def blobs_of(manifest: Mapping[str, Any]) -> tuple[Part, ...]:
    """The configuration and the layers of a manifest, each digest once.

    Raises:
        PullError: It lists something else.
    """
    config = manifest.get("config")
    configs = [_part(config, "config")] if config is not None else []
    return tuple({part.digest: part for part in (*configs, *_parts(manifest, "layers", "layer"))}.values())


def digest_of(content: bytes) -> str:
    """The digest of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _parts(manifest: Mapping[str, Any], key: str, kind: str) -> Iterator[Part]:
    listed = manifest.get(key) or []
    if not isinstance(listed, list):
        raise PullError(f"the manifest's {key} are not a list")
    for entry in listed:
        yield _part(entry, kind)


def _part(entry: object, kind: str) -> Part:
    """https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties ."""
    if isinstance(entry, dict):
        digest, size = entry.get("digest"), entry.get("size")
        if (
            isinstance(digest, str)
            and _DIGEST.fullmatch(digest)
            and isinstance(size, int)
            and 0 <= size < _LARGEST_BYTES
        ):
            return Part(kind, digest, size, _platform(entry.get("platform")))
    raise PullError(f"the manifest lists a {kind} without a SHA-256 digest and a size in bytes")


def _platform(described: object) -> str:
    if not isinstance(described, dict):
        return ""
    names = (described.get("os"), described.get("architecture"), described.get("variant"))
    joined = "/".join(str(name) for name in names if name)
    # It may be shown, and a terminal obeys control characters.
    return joined if _PLATFORM.fullmatch(joined) else ""
