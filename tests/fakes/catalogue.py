"""A catalogue as the Lambda writes it, of any size, with digests that no compression makes smaller."""

import base64
import random
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from lambda_fn.contract.objects import CATALOGUE_SHARDS, catalogue_config_maps
from lambda_fn.job.catalogue import index, shards
from lambda_fn.job.catalogue.entries import Image, Repository

WRITTEN_AT = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)

TEAMS = ("payments", "identity", "search", "platform", "data", "web", "mobile", "ml", "billing", "edge")
PARTS = ("api", "worker", "gateway", "ui", "jobs", "importer", "proxy", "sync", "router", "reports", "cache", "admin")
WORDS = ("orders", "invoices", "sessions", "events", "catalogue", "ledger", "profiles", "metrics", "alerts", "quotes")
PLATFORMS = ("linux/amd64", "linux/arm64")
MEDIA_TYPES = {
    "image": "application/vnd.oci.image.index.v1+json",
    "chart": "application/vnd.oci.image.manifest.v1+json",
    "artifact": "application/vnd.oci.image.manifest.v1+json",
}

Files = dict[str, bytes]
"""The content of each file of the catalogue by its name."""


class Catalogue:
    """Repositories, to which a test adds its own.

    Args:
        repositories: How many are made up; the same ones for the same number.
        tags: How many images each of them has.
        now: The time that the youngest ones are near.
    """

    def __init__(self, repositories: int = 0, tags: int = 20, now: datetime = WRITTEN_AT) -> None:
        self._random = random.Random(repositories)  # noqa: S311 - the same every time
        self._now = now
        self.complete = True
        self.images: dict[str, list[dict[str, Any]]] = {}
        for number in range(repositories):
            name = self._name(number)
            self.images[name] = [self.image(name, f"1.{tags - place}.0", place) for place in range(tags)]

    def image(self, repository: str, tag: str, place: int = 0, **changes: object) -> dict[str, Any]:
        """An image, `place` days and some hours old; what is given replaces what is made up."""
        kind = "chart" if "/charts/" in f"/{repository}/" else "image"
        sizes = [self._random.randrange(20_000_000, 400_000_000) for _ in PLATFORMS]
        platforms = [
            {"platform": platform, "digest": self.digest(), "size_bytes": size}
            for platform, size in zip(PLATFORMS, sizes, strict=True)
        ]
        pushed_at = self._now - timedelta(days=place * 2, hours=self._random.randrange(1, 40))
        made: dict[str, Any] = {
            "digest": self.digest(),
            "tags": [tag, "latest"] if place == 0 else [tag],
            "pushed_at": _text(pushed_at),
            "pulled_at": _text(self._now - (self._now - pushed_at) * self._random.random() / 2) if place < 4 else None,
            "kind": kind,
            "media_type": MEDIA_TYPES[kind],
            "size_bytes": sum(sizes) if kind == "image" else self._random.randrange(4000, 90_000),
            "platforms": platforms if kind == "image" else [],
            "labels": {
                "org.opencontainers.image.source": f"https://git.example.net/{repository}",
                "org.opencontainers.image.revision": f"{self._random.getrandbits(160):040x}",
            },
            "signed": self._random.random() < 0.7,
        }
        return made | changes

    def add(self, repository: str, *images: dict[str, Any]) -> None:
        """Add a repository, or images to one."""
        self.images[repository] = [*self.images.get(repository, ()), *images]

    def digest(self) -> str:
        """A new digest."""
        return f"sha256:{self._random.getrandbits(256):064x}"

    def files(self, first_extent: int = 0) -> Files:
        """What the ConfigMaps hold, as the product writes it: where a shard is full, with fewer details.

        Args:
            first_extent: The first one that is tried: with thousands of repositories each takes seconds.
        """
        parts: list[dict[str, Repository]] = [{} for _ in range(CATALOGUE_SHARDS)]
        for name, images in self.images.items():
            parts[shards.shard_of(name)][name] = Repository(images=cast("list[Image]", images))
        encoded = [shards.encode(part, shards.State(first_extent)) for part in parts]
        written = index.Index(
            {
                name: index.Entry(
                    sum(len(image["tags"]) for image in images),
                    max((image["pushed_at"] for image in images), default=None),
                )
                for name, images in self.images.items()
            },
            tuple(state for _, state in encoded),
            index.Round(ended_at=self._now if self.complete else None),
        )
        files = {shards.file_of(number): content for number, (content, _) in enumerate(encoded)}
        return {shards.INDEX_FILE: index.encode(written, now=self._now), **files}

    def config_maps(self, workload: str, namespace: str) -> list[dict[str, Any]]:
        """The objects that the Lambda writes."""
        files = self.files()
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace},
                "binaryData": {file: base64.b64encode(files[file]).decode()},
            }
            for file, name in catalogue_config_maps(workload).items()
        ]

    def _name(self, number: int) -> str:
        team, rest = TEAMS[number % len(TEAMS)], number // len(TEAMS)
        word, rest = WORDS[rest % len(WORDS)], rest // len(WORDS)
        part, rest = PARTS[rest % len(PARTS)], rest // len(PARTS)
        return f"{team}/{word}-{part}" + (f"-{rest}" if rest else "")


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
