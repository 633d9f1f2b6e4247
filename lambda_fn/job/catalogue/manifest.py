"""What a manifest and a configuration say, taken apart. Pure; an attacker may have pushed them.

https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md , image-index.md and config.md
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_fn.contract.hints import DIGEST
from lambda_fn.contract.media_types import INDEXES
from lambda_fn.job.catalogue.labels import readable

IMAGE_CONFIGURATIONS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
HELM = "application/vnd.cncf.helm.config.v1+json"
"""https://helm.sh/docs/topics/registries/#helm-chart-manifest"""

MOST_PLATFORMS = 32
LARGEST_CONFIGURATION_BYTES = 1024 * 1024
"""Images of many layers have some 100 kB. A larger configuration is not read."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest.

    Attributes:
        configuration: The digest of its configuration, where that is an image's and is not too large.
        kind: `image`, `chart` or `artifact`.
        platforms: Of an index: the platform and the digest of each image in it.
        annotations: Those that people read, bounded: 4 MiB of others, of 20 manifests, would not fit into memory.
    """

    configuration: str | None = None
    kind: str = "image"
    platforms: tuple[tuple[str, str], ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


def parse(content: bytes) -> Manifest:
    """The manifest in these bytes.

    Raises:
        ValueError: They are no manifest.
    """
    document = _object(content)
    annotations = readable(document.get("annotations"))
    if isinstance(document.get("manifests"), list):
        return Manifest(platforms=_platforms(document["manifests"]), annotations=annotations)
    configuration = _mapping(document.get("config"))
    media_type = str(configuration.get("mediaType", ""))
    kind = kind_of(str(document.get("artifactType") or media_type))
    wanted = kind == "image" and media_type in IMAGE_CONFIGURATIONS and _is_small(configuration.get("size"))
    digest = configuration.get("digest")
    return Manifest(configuration=digest if wanted and _is_digest(digest) else None, kind=kind, annotations=annotations)


def kind_of(artifact_type: str) -> str:
    """`image`, `chart` or `artifact`, from the type of a configuration or of an artifact; empty is an index."""
    if artifact_type == HELM:
        return "chart"
    return "image" if not artifact_type or artifact_type in IMAGE_CONFIGURATIONS.union(INDEXES) else "artifact"


def parse_configuration(content: bytes) -> tuple[str | None, Mapping[str, str]]:
    """The platform of an image, None where it names none, and the labels that people read.

    Raises:
        ValueError: The bytes are no configuration.
    """
    document = _object(content)
    return _platform(document), readable(_mapping(document.get("config")).get("Labels"))


def _platforms(descriptors: list[Any]) -> tuple[tuple[str, str], ...]:
    """Without what BuildKit adds for attestations, whose platform is `unknown/unknown`."""
    found: dict[str, str] = {}
    for descriptor in map(_mapping, descriptors):
        digest = descriptor.get("digest")
        platform = _platform(_mapping(descriptor.get("platform")))
        if platform and isinstance(digest, str) and _is_digest(digest) and not platform.startswith("unknown/"):
            found.setdefault(digest, platform)
    return tuple((platform, digest) for digest, platform in found.items())[:MOST_PLATFORMS]


def _platform(of: Mapping[str, Any]) -> str | None:
    """`os/architecture`, and `/variant` where there is one, as clients write it."""
    words = [of.get("os"), of.get("architecture"), *([of["variant"]] if of.get("variant") else [])]
    return "/".join(words) if all(isinstance(word, str) and _WORD.fullmatch(word) for word in words) else None


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(DIGEST, value, re.ASCII) is not None


def _is_small(size: object) -> bool:
    return isinstance(size, int) and 0 < size <= LARGEST_CONFIGURATION_BYTES


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {type(error).__name__}") from error
    if not isinstance(document, Mapping):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a wrong content, not a wrong call
    return document


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
