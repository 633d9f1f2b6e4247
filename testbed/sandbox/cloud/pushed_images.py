"""What ECR's API knows of each image that was pushed: its tags, types, size and push time. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.lifecycle import ImageId


@dataclass
class PushedImage:
    """One manifest.

    Attributes:
        media_type: Of the manifest.
        document: The manifest.
        pushed_at: When it was pushed last.
        tags: That it has now.
    """

    media_type: str
    document: Mapping[str, Any]
    pushed_at: datetime
    tags: set[str] = field(default_factory=set)


@dataclass
class PushedImages:
    """The images of all registries.

    Args:
        now: The time.
    """

    now: Callable[[], datetime]
    _of: dict[tuple[RegistryHost, str], dict[str, PushedImage]] = field(default_factory=lambda: defaultdict(dict))

    def pushed(self, image: ImageId, reference: str, media_type: str, content: bytes) -> None:
        """A manifest was pushed under a tag, which moves, or under its digest."""
        images = self._of[image.host, image.repository]
        tags = images[image.digest].tags if image.digest in images else set()
        images[image.digest] = PushedImage(media_type, json.loads(content), self.now(), tags)
        if ":" not in reference:
            for other in images.values():
                other.tags.discard(reference)
            tags.add(reference)

    def of(self, host: RegistryHost, repository: str) -> Mapping[str, PushedImage]:
        """The images of a repository by digest."""
        return self._of[host, repository]

    def details(self, host: RegistryHost, repository: str, digest: str) -> dict[str, object]:
        """An image as DescribeImages describes it, without its last pull."""
        image = self._of[host, repository][digest]
        document = image.document
        configuration = document.get("config", {}).get("mediaType")
        found = {
            "registryId": host.account,
            "repositoryName": repository,
            "imageDigest": digest,
            "imageTags": sorted(image.tags),
            "imageSizeInBytes": self._size_bytes(host, repository, digest),
            "imagePushedAt": image.pushed_at.timestamp(),
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": document.get("artifactType") or configuration,
            "subjectManifestDigest": document.get("subject", {}).get("digest"),
            "imageStatus": "ACTIVE",
        }
        return {name: value for name, value in found.items() if value}

    def _size_bytes(self, host: RegistryHost, repository: str, digest: str) -> int:
        """Of all blobs; that of the largest manifest where it is an index."""
        image = self._of[host, repository].get(digest)
        if image is None:
            return 0
        inner = [self._size_bytes(host, repository, one["digest"]) for one in image.document.get("manifests", ())]
        blobs = (image.document.get("config", {}), *image.document.get("layers", ()))
        return max(inner) if inner else sum(int(blob.get("size", 0)) for blob in blobs)
