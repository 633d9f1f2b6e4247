"""The entries of a shard, as the page reads them. Pure.

{"schema": 1, "repositories": {"team/app": {"images": [
    {"digest": "sha256:..", "tags": ["1.4"], "pushed_at": "..", "pulled_at": "..", "kind": "image", "media_type": "..",
     "size_bytes": 123, "platforms": [{"platform": "linux/amd64", "digest": "sha256:..", "size_bytes": 123}],
     "labels": {"org.opencontainers.image.source": ".."}, "signed": true, "findings": {"CRITICAL": 1}}]}}}

What is missing or null is unknown. `platforms` and `labels` are there once the manifest was read: so the catalogue
itself remembers which digests need not be read again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict, cast

from lambda_fn.contract.hints import DIGEST
from lambda_fn.contract.times import instant_text
from lambda_fn.job.catalogue.manifest import kind_of
from lambda_fn.job.catalogue.ports import Listed
from lambda_fn.job.catalogue.signatures import Signatures, is_of_another

_NUMBER = re.compile(r"(\d+)")


class Platform(TypedDict, total=False):
    """One image of an index, or the image itself."""

    platform: Required[str]
    digest: str
    size_bytes: int


class Image(TypedDict, total=False):
    """One tagged manifest."""

    digest: Required[str]
    tags: Required[list[str]]
    pushed_at: Required[str]
    pulled_at: str | None
    kind: str
    media_type: str
    size_bytes: int
    platforms: list[Platform]
    labels: dict[str, str]
    signed: bool | None
    findings: dict[str, int]


class Repository(TypedDict):
    """One repository: the images of its newest tags, the newest first."""

    images: list[Image]


@dataclass(frozen=True, slots=True)
class Details:
    """What stands in a manifest alone.

    Attributes:
        kind: `image`, `chart` or `artifact`.
        platforms: Those that it has.
        labels: As `labels.readable` gives them; None where the shard had no room for them.
    """

    kind: str
    platforms: Sequence[Platform]
    labels: Mapping[str, str] | None

    def has(self, *, labels: bool, digests: bool) -> bool:
        """Whether all that is wanted is there; else the manifest has to be read again."""
        has_digests = all("digest" in platform for platform in self.platforms)
        return (self.labels is not None or not labels) and (has_digests or not digests)


def newest(images: Iterable[Listed], most_tags: int) -> list[tuple[Listed, list[str]]]:
    """The images of the newest tags, the newest first, each with its tags among them.

    ECR dates images and not tags. Of an image with many tags, those that sort last are taken, numbers by their value.
    """
    tagged = [(image, sorted(filter(_is_for_people, image.tags), key=_natural, reverse=True)) for image in images]
    tagged.sort(key=lambda pair: (pair[0].pushed_at, pair[0].digest), reverse=True)
    found, left = [], most_tags
    for image, tags in tagged:
        if tags and left:
            found.append((image, tags[:left]))
            left -= len(tags[:left])
    return found


def count_tags(images: Iterable[Listed]) -> int:
    """How many tags a repository has, without those of signatures."""
    return sum(map(_is_for_people, (tag for image in images for tag in image.tags)))


def build(
    image: Listed, tags: Sequence[str], details: Details | None, sizes: Mapping[str, int], signatures: Signatures
) -> Image:
    """The entry of one image.

    Args:
        image: As ECR lists it.
        tags: Those to show.
        details: What its manifest says; None where that could not be read.
        sizes: Of every manifest of the repository, by digest.
        signatures: Of the repository.
    """
    entry = Image(
        digest=image.digest,
        tags=list(tags),
        pushed_at=instant_text(image.pushed_at),
        pulled_at=instant_text(image.pulled_at) if image.pulled_at else None,
        kind=details.kind if details else kind_of(image.artifact_type),
        media_type=image.media_type,
        size_bytes=image.size_bytes,
        signed=signatures.of(image.digest),
    )
    if details:
        entry["platforms"] = [_sized(platform, sizes) for platform in details.platforms]
        if details.labels is not None:
            entry["labels"] = dict(details.labels)
    if image.findings:
        entry["findings"] = dict(image.findings)
    return entry


def remembered(images: Iterable[Any]) -> dict[str, Details]:
    """What a stored shard knows of manifests, by digest; anything malformed is not known."""
    found = {}
    for image in images:
        match image:
            case {"digest": str(digest), "kind": str(kind), "platforms": [*platforms]}:
                labels = image.get("labels")
                valid = [one for one in platforms if isinstance(one, dict) and isinstance(one.get("platform"), str)]
                found[digest] = Details(
                    kind, cast("list[Platform]", valid), labels if isinstance(labels, dict) else None
                )
    return found


def digests(images: Iterable[Any]) -> frozenset[str]:
    """Every manifest that a stored shard names: of its images, and of their platforms; anything malformed is none."""
    named = [one for image in images for one in (image, *(image.get("platforms") or ()))]
    found = (one.get("digest") for one in named if isinstance(one, Mapping))
    return frozenset(each for each in found if isinstance(each, str) and re.fullmatch(DIGEST, each, re.ASCII))


def _sized(platform: Platform, sizes: Mapping[str, int]) -> Platform:
    size = sizes.get(platform.get("digest", ""))
    return platform if size is None else Platform(**{**platform, "size_bytes": size})


def _is_for_people(tag: str) -> bool:
    return not is_of_another(tag)


def _natural(tag: str) -> tuple[tuple[int, str], ...]:
    """A key by which 1.10 comes after 1.9: numbers and texts take turns."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBER.split(tag))
