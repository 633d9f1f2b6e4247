"""ECR as the catalogue reads it, with the images that tests push, and the catalogue's files in a cluster, as fakes."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from lambda_fn.contract.errors import RegistryError
from lambda_fn.job.catalogue import index, shards
from lambda_fn.job.catalogue.index import Index
from lambda_fn.job.catalogue.ports import Contents, Listed, RepositoryGoneError, Stored
from lambda_fn.settings.registry import Registry
from tests.fakes.clock import STARTED_AT, FakeClock

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REGISTRY = Registry(account="123456789012", region="ap-southeast-2", repositories=("team/*",))
SOURCE = "org.opencontainers.image.source"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class FakeEcr:
    """The registries of ECR.

    Attributes:
        errors: What a repository answers with, instead of its images; under an empty name, the list of repositories.
        asked: How often each method was called.
        read: The digests of the manifests that were read.
        unreadable: Digests of manifests and configurations that cannot be read.
        is_cut_off: Whether that is for want of a route.
        seconds: How long each call takes, by the clock.
        meanwhile: What happens after the images of a repository were listed.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self._clock = clock
        self._listed: dict[tuple[str, str], dict[str, Listed]] = defaultdict(dict)
        self._contents: dict[str, bytes] = {}
        self.errors: dict[str, RegistryError] = {}
        self.asked: Counter[str] = Counter()
        self.read: list[str] = []
        self.unreadable: set[str] = set()
        self.is_cut_off = True
        self.seconds = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    # --- the port ----------------------------------------------------------------------------------------------------

    def repositories(self, registry: Registry) -> list[str]:
        self._ask("repositories", "")
        return [repository for host, repository in self._listed if host == registry.host]

    def images(self, registry: Registry, repository: str) -> Sequence[Listed]:
        self._ask("images", repository)
        if (registry.host, repository) not in self._listed:
            raise RepositoryGoneError(f"{repository} does not exist")
        found = [*self._listed[registry.host, repository].values()]
        self.meanwhile()
        return found

    def manifests(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        self._ask("manifests", repository)
        wanted = [*digests]
        self.read += wanted
        return self._found([digest for digest in wanted if digest in self._listed[registry.host, repository]])

    def configurations(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        del registry
        self._ask("configurations", repository)
        return self._found([*digests])

    def _ask(self, method: str, repository: str) -> None:
        self.asked[method] += 1
        if self._clock:
            self._clock.sleep(self.seconds)
        if error := self.errors.get(repository):
            raise error

    def _found(self, digests: Sequence[str]) -> Contents:
        readable = {digest: self._contents[digest] for digest in digests if digest not in self.unreadable}
        if len(readable) == len(digests):
            return Contents(readable)
        return Contents(readable, ("S3 cannot be reached",), is_cut_off=self.is_cut_off)

    # --- what tests do to it -----------------------------------------------------------------------------------------

    def create(self, repository: str, registry: Registry = REGISTRY) -> None:
        """A repository without images."""
        self._listed[registry.host, repository].clear()

    def delete(self, repository: str, registry: Registry = REGISTRY) -> None:
        """Delete a repository."""
        del self._listed[registry.host, repository]

    def delete_image(self, repository: str, digest: str, registry: Registry = REGISTRY) -> None:
        """Delete a manifest."""
        del self._listed[registry.host, repository][digest]

    def push(
        self,
        repository: str,
        manifest: Mapping[str, Any] | bytes,
        *tags: str,
        age: timedelta = timedelta(),
        registry: Registry = REGISTRY,
        **listed: Any,  # noqa: ANN401 - fields of Listed
    ) -> str:
        """Push a manifest under these tags; returns its digest."""
        content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        digest = digest_of(content)
        self._contents[digest] = content
        document: Mapping[str, Any] = {} if isinstance(manifest, bytes) else manifest
        fields = {
            "pushed_at": STARTED_AT - age,
            "size_bytes": sum(one["size"] for one in document.get("layers", ())),
            "media_type": document.get("mediaType", MANIFEST),
            "artifact_type": document.get("artifactType") or document.get("config", {}).get("mediaType", ""),
            "subject": document.get("subject", {}).get("digest", ""),
        }
        self._listed[registry.host, repository][digest] = Listed(digest=digest, tags=tags, **{**fields, **listed})
        return digest

    def image(
        self,
        repository: str,
        *tags: str,
        platform: str = "linux/amd64",
        labels: Mapping[str, Any] | None = None,
        size_bytes: int = 1_000,
        age: timedelta = timedelta(),
        **listed: Any,  # noqa: ANN401 - fields of Listed
    ) -> str:
        """Push an image; returns its digest."""
        os, architecture, *variant = platform.split("/")
        named = {"os": os, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
        configuration = json.dumps({**named, "config": {"Labels": labels or {}}, "made_for": [repository, *tags]})
        return self.push(
            repository, self.manifest_of(configuration.encode(), size_bytes=size_bytes), *tags, age=age, **listed
        )

    def manifest_of(self, configuration: bytes, media_type: str = CONFIG, size_bytes: int = 1_000) -> dict[str, Any]:
        """The manifest of an image with this configuration."""
        digest = digest_of(configuration)
        self._contents[digest] = configuration
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": media_type, "digest": digest, "size": len(configuration)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(b"layer"), "size": size_bytes}],
        }

    def configuration_of(self, digest: str) -> object:
        """The digest of an image's configuration."""
        return json.loads(self._contents[digest])["config"]["digest"]

    def index(self, repository: str, *tags: str, platforms: Mapping[str, str], **changes: Any) -> str:  # noqa: ANN401 - JSON
        """Push an index of these images, platform -> digest; returns its digest."""
        descriptors = [
            {
                "mediaType": MANIFEST,
                "digest": digest,
                "size": 700,
                "platform": dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False)),
            }
            for platform, digest in platforms.items()
        ]
        return self.push(
            repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors, **changes}, *tags
        )


class FakeFiles:
    """The catalogue's files in a cluster, each with a version as the API server keeps it.

    Attributes:
        contents: The files as they are.
        writes: The names of the files that were written, in order.
        meanwhile: What another writer does before each write.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._versions: Counter[str] = Counter()
        self.writes: list[str] = []
        self.meanwhile: Callable[[str], None] = lambda _: None

    def read(self, file: str) -> Stored:
        return Stored(self.contents.get(file), str(self._versions[file]) if file in self.contents else None)

    def write(self, file: str, content: bytes, *, version: str | None) -> bool:
        self.meanwhile(file)
        if version != self.read(file).version:
            return False
        self.put(file, content)
        self.writes.append(file)
        return True

    def put(self, file: str, content: bytes) -> None:
        """What another writer does."""
        self.contents[file] = content
        self._versions[file] += 1

    @property
    def index(self) -> Index:
        return index.decode(self.contents.get(shards.INDEX_FILE))

    def document(self) -> dict[str, Any]:
        """The index as the page reads it."""
        return shards.unpack(self.contents[shards.INDEX_FILE])

    def images(self, repository: str) -> list[dict[str, Any]]:
        """The images of a repository as the page reads them."""
        content = self.contents.get(shards.file_of(shards.shard_of(repository)))
        found: list[dict[str, Any]] = shards.unpack(content)["repositories"][repository]["images"]
        return found
