"""The files of the catalogue as bytes: JSON in gzip, each small enough for a ConfigMap. Pure.

https://kubernetes.io/docs/concepts/configuration/configmap/#motivation allows 1 MiB an object.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lambda_fn.contract.objects import CATALOGUE_SHARDS
from lambda_fn.job.catalogue.entries import Image, Platform, Repository

SCHEMA = 1
INDEX_FILE = "index.json.gz"
LARGEST_BYTES = 900_000
_LARGEST_TEXT_BYTES = 64 * 1024 * 1024
_GZIP = 31
"""zlib's window bits for gzip; its header then has no time, so that equal content has equal bytes."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of each repository a shard holds.

    Attributes:
        tags: The newest so many.
        labels: The newest so many of them have labels.
        digests: Whether each platform has its digest.
    """

    tags: int
    labels: int = 0
    digests: bool = False


EXTENTS = (
    Extent(20, labels=20, digests=True),
    Extent(20, labels=10, digests=True),
    Extent(20, labels=3, digests=True),
    Extent(20, digests=True),
    Extent(20),
    Extent(10),
    Extent(5),
    Extent(2),
    Extent(1),
    Extent(0),
)
"""From everything to the names alone: a shard that does not fit takes the next one."""
UNKNOWN_GROWTH = 2.25
"""By how much the extent before is taken to be larger, where no run has measured it."""
_SPARE = 1.1
"""What was too large once is too large until the shard has shrunk by a tenth: each attempt reads manifests."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a stored shard.

    Attributes:
        extent: The number of its extent.
        size_bytes: Of its content.
        growth: By how much the content of the extent before was larger, when that did not fit.
    """

    extent: int = 0
    size_bytes: int = 0
    growth: float = UNKNOWN_GROWTH

    @property
    def has_room(self) -> bool:
        """Whether the extent before would fit."""
        return self.extent > 0 and self.size_bytes * self.growth * _SPARE < LARGEST_BYTES


def shard_of(repository: str) -> int:
    """The number of the shard that holds a repository: the same one for ever, and about as many in each."""
    return int.from_bytes(hashlib.sha256(repository.encode()).digest()[:4]) % CATALOGUE_SHARDS


def file_of(shard: int) -> str:
    """The file of a shard, a key of `contract.objects.catalogue_config_maps`."""
    return f"{shard:02d}.json.gz"


def encode(repositories: Mapping[str, Repository], known: State) -> tuple[bytes, State]:
    """The bytes of a shard, and its state with them.

    Args:
        repositories: By name.
        known: With the first extent to try.
    """
    larger, growth = 0, known.growth
    for number in range(known.extent, len(EXTENTS)):
        content = pack({"schema": SCHEMA, "repositories": _reduced(repositories, EXTENTS[number])})
        growth = math.ceil(100 * larger / len(content)) / 100 if larger else growth
        if len(content) <= LARGEST_BYTES:
            break
        larger = len(content)
    return content, State(number, len(content), growth)


def decode(content: bytes | None) -> dict[str, Repository]:
    """The repositories of a shard by name; none where there is no shard yet.

    Raises:
        ValueError: The bytes are no shard.
    """
    found = unpack(content)
    repositories = found.get("repositories", {})
    if not isinstance(repositories, dict):
        raise ValueError("it has no repositories")  # noqa: TRY004 - a wrong content, not a wrong call
    valid = {name: one for name, one in repositories.items() if isinstance(one, dict)}
    listed = {name: one["images"] for name, one in valid.items() if isinstance(one.get("images"), list)}
    return {name: Repository(images=list(filter(_is_image, images))) for name, images in listed.items()}


def _is_image(entry: object) -> bool:
    """Whether its parts have their types, as far as a run relies on them."""
    match entry:
        case {"digest": str(), "tags": [*tags], **others}:
            platforms = others.get("platforms", [])
            return (
                all(isinstance(tag, str) for tag in tags)
                and isinstance(platforms, list)
                and all(isinstance(one, dict) and isinstance(one.get("digest", ""), str) for one in platforms)
            )
    return False


def pack(document: Mapping[str, Any]) -> bytes:
    """A document as a file of the catalogue."""
    # An edit by hand may hold half of a surrogate pair, which UTF-8 does not have.
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
    packer = zlib.compressobj(level=9, wbits=_GZIP)
    return packer.compress(text) + packer.flush()


def unpack(content: bytes | None) -> dict[str, Any]:
    """The document in a file of the catalogue; an empty one where there is no file yet.

    Raises:
        ValueError: It is none of this schema.
    """
    if not content:
        return {}
    try:
        unpacker = zlib.decompressobj(wbits=_GZIP)
        text = unpacker.decompress(content, _LARGEST_TEXT_BYTES)
        document = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON in gzip: {type(error).__name__}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"it is not of schema {SCHEMA}")
    return document


def _reduced(repositories: Mapping[str, Repository], extent: Extent) -> dict[str, Repository]:
    return {
        name: Repository(images=list(_newest(repositories[name]["images"], extent))) for name in sorted(repositories)
    }


def _newest(images: Iterable[Image], extent: Extent) -> Iterable[Image]:
    seen = 0
    for image in images:
        if seen >= extent.tags:
            return
        kept = Image(**{**image, "tags": image["tags"][: extent.tags - seen]})
        if seen >= extent.labels:
            kept.pop("labels", None)
        if not extent.digests and "platforms" in kept:
            kept["platforms"] = [
                cast("Platform", {key: value for key, value in one.items() if key != "digest"})
                for one in kept["platforms"]
            ]
        seen += len(kept["tags"])
        yield kept
