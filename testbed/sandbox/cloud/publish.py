"""Pushes blobs, manifests and images of chosen bytes to a registry of the double, by the steps of any OCI client."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_EMPTY = "application/vnd.oci.empty.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True, slots=True)
class Image:
    """What was pushed: digests of the manifest, the configuration and the layers, and the manifest's bytes."""

    digest: str
    manifest: bytes
    config: str
    layers: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Of the configuration and the layers together."""
        listed = json.loads(self.manifest)
        return sum(int(blob["size"]) for blob in (listed["config"], *listed["layers"]))


class Publisher:
    """Pushes to one registry.

    Args:
        client: Trusts the sandbox's CA.
        host: The registry.
        authorization: What follows `Basic `.
    """

    def __init__(self, client: httpx2.Client, host: str, authorization: str) -> None:
        self._client = client
        self._origin = f"https://{host}"
        self._headers = {"Authorization": f"Basic {authorization}"}

    def blob(self, repository: str, content: bytes) -> str:
        """Push a blob; returns its digest."""
        digest = digest_of(content)
        started = self._send("POST", f"{self._origin}/v2/{repository}/blobs/uploads/")
        upload = httpx2.URL(started.headers["Location"])
        self._send("PUT", str(upload.copy_add_param("digest", digest)), content=content)
        return digest

    def manifest(self, repository: str, reference: str, content: bytes, media_type: str = _MANIFEST) -> str:
        """Push a manifest under a tag or its digest; returns its digest."""
        url = f"{self._origin}/v2/{repository}/manifests/{reference}"
        self._send("PUT", url, content=content, media_type=media_type)
        return digest_of(content)

    def image(self, repository: str, tag: str, layers: Sequence[bytes]) -> Image:
        """Push an image with these layers. It is for pulling: the layers need not be archives."""
        rootfs = {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
        return self.image_of(repository, tag, config, layers)

    def image_of(self, repository: str, tag: str, config: bytes, layers: Sequence[bytes]) -> Image:
        """Push an image with this configuration, of any bytes."""
        digests = tuple(self.blob(repository, layer) for layer in layers)
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _descriptor(_CONFIG, self.blob(repository, config), config),
                "layers": [_descriptor(_LAYER, *pair) for pair in zip(digests, layers, strict=True)],
            },
        ).encode()
        return Image(self.manifest(repository, tag, manifest), manifest, digest_of(config), digests)

    def referrer(self, repository: str, subject: Image, artifact_type: str, number: int) -> str:
        """Push an artifact that refers to an image, each number another one; returns its digest."""
        empty = b"{}"
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "artifactType": artifact_type,
                "config": _descriptor(_EMPTY, self.blob(repository, empty), empty),
                "layers": [],
                "subject": _descriptor(_MANIFEST, subject.digest, subject.manifest),
                "annotations": {"number": str(number)},
            },
        ).encode()
        return self.manifest(repository, digest_of(manifest), manifest)

    def _send(self, method: str, url: str, *, content: bytes = b"", media_type: str = "") -> httpx2.Response:
        kind = {"Content-Type": media_type or "application/octet-stream"}
        answer = self._client.request(method, url, content=content, headers=self._headers | kind)
        if not answer.is_success:
            message = f"{method} {url.partition('?')[0]}: {answer.status_code} {answer.text}"
            raise ValueError(message)
        return answer


def digest_of(content: bytes) -> str:
    """The digest a registry stores these bytes under."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, digest: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest, "size": len(content)}
