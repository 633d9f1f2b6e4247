"""The content to pull: an image of five layers, and blobs of three sizes, in the doubles of ECR and S3."""

import hashlib
import io
import os
import ssl
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from testbed.bench.plan import MIB, Plan
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World

REPOSITORY = "team/bench"
TAG = "1.0"
APPLICATION_TAG = "application"
LAYERS = 5
ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
"""Without it a registry does not find an OCI manifest."""


@dataclass(frozen=True, slots=True)
class Content:
    """Digests of what there is, and their bytes as files below `folder`, by the paths of the registry API.

    Attributes:
        application: A larger image, whose layers are archives, so that clients can unpack it.
        medium: By their sizes in bytes.
        huge: Empty where the plan leaves it out.
    """

    folder: Path
    image: Image
    application: Image
    small: str
    medium: Mapping[int, str]
    large: str
    huge: str

    def file(self, path: str) -> Path:
        """The file with the expected bytes of a path."""
        return self.folder / path.removeprefix("/")


def blob_path(digest: str) -> str:
    """The path of a blob."""
    return f"/v2/{REPOSITORY}/blobs/{digest}"


def manifest_path(reference: str) -> str:
    """The path of a manifest, by tag or digest."""
    return f"/v2/{REPOSITORY}/manifests/{reference}"


def publish(world: World, plan: Plan, folder: Path) -> Content:
    """Push all content."""
    token = Control().issue_token(world.region)
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate)), timeout=120) as client:
        publisher = Publisher(client, world.ecr_host, token.authorization)
        layers = [os.urandom(plan.layer_bytes) for _ in range(LAYERS)]
        image = publisher.image(REPOSITORY, TAG, layers)
        archives = [_archive(f"layer-{number}", plan.application_layer_bytes) for number in range(LAYERS)]
        application = publisher.image(REPOSITORY, APPLICATION_TAG, archives)
        blobs = {size: os.urandom(size) for size in (plan.small_bytes, *plan.medium_bytes, plan.large_bytes)}
        digests = {size: publisher.blob(REPOSITORY, content) for size, content in blobs.items()}
        medium = {size: digests[size] for size in plan.medium_bytes}
        small, large = digests[plan.small_bytes], digests[plan.large_bytes]
        content = Content(folder, image, application, small, medium, large, _huge(world, plan, folder))
        for digest, data in [
            *zip(image.layers, layers, strict=True),
            *((digests[size], blobs[size]) for size in blobs),
        ]:
            _keep(content, blob_path(digest), data)
        for reference in (TAG, image.digest):
            _keep(content, manifest_path(reference), image.manifest)
        authorization = {"Authorization": f"Basic {token.authorization}"}
        configuration = blob_path(image.config)
        answer = client.get(f"https://{world.ecr_host}{configuration}", headers=authorization, follow_redirects=True)
        answer.raise_for_status()
        _keep(content, configuration, answer.content)
    return content


def _keep(content: Content, path: str, data: bytes) -> None:
    file = content.file(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _huge(world: World, plan: Plan, folder: Path) -> str:
    """Put a blob where a push would have put it; the push itself would hold it whole in memory."""
    if not plan.huge_bytes:
        return ""
    digest = hashlib.sha256()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "huge"
    with draft.open("wb") as file:
        for chunk in _chunks(plan.huge_bytes):
            digest.update(chunk)
            file.write(chunk)
    name = f"sha256:{digest.hexdigest()}"
    host = RegistryHost.parse(world.ecr_host)
    if host is None:
        raise ValueError(f"{world.ecr_host} is no registry of Amazon ECR")
    layer = Layer("", digest.hexdigest())
    final = folder / blob_path(name).removeprefix("/")
    final.parent.mkdir(parents=True, exist_ok=True)
    draft.rename(final)
    stored = world.registry_storage / layer.stored_as
    stored.parent.mkdir(parents=True)
    os.link(final, stored)
    repository = world.registry_storage / "docker/registry/v2/repositories" / host.prefix / REPOSITORY
    link = repository / "_layers/sha256" / layer.digest / "link"
    link.parent.mkdir(parents=True)
    link.write_text(name)
    return name


def _archive(name: str, size_bytes: int) -> bytes:
    """A layer with one file of random bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = size_bytes
        tar.addfile(entry, io.BytesIO(os.urandom(size_bytes)))
    return made.getvalue()


def _chunks(size_bytes: int) -> Iterator[bytes]:
    block = os.urandom(16 * MIB)
    for start in range(0, size_bytes, len(block)):
        yield block[: size_bytes - start]
