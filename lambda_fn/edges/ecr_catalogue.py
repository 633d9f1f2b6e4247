"""ECR's repositories, images, manifests and configurations: the port `Images` of the catalogue."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from ssl import create_default_context
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.media_types import MANIFESTS
from lambda_fn.job.catalogue.manifest import LARGEST_CONFIGURATION_BYTES
from lambda_fn.job.catalogue.pace import Pace
from lambda_fn.job.catalogue.ports import (
    Contents,
    DeniedError,
    Listed,
    RepositoryGoneError,
    SlowError,
    ThrottledError,
    UnreachableError,
)
from lambda_fn.job.ports import WRITE_SECONDS, Clock
from lambda_fn.settings.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_PARALLEL = 8
# botocore backs off by itself, up to three seconds in all: a run has a minute.
_BOUNDED = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=_PARALLEL,
)
_PAGE = 1_000
_IDS = 100
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html"""
_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "LimitExceededException"})
_DENIED = frozenset({"AccessDeniedException"})
_TIMEOUT = httpx2.Timeout(5.0, connect=3.0)
_PUSH_AGAIN = "pull the image, and if that fails, too, push it again"


class EcrCatalogue:
    """The images of every registry of the settings.

    Args:
        clock: The time.
        new_client: Makes the client of a region.
        transport: In place of the network, for layers.
    """

    def __init__(
        self,
        clock: Clock,
        new_client: "Callable[[str], ECRClient] | None" = None,
        *,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._new_client = new_client or _new_client
        self._transport = transport
        self._clients: dict[str, ECRClient] = {}
        self._paces: dict[str, Pace] = {}

    def repositories(self, registry: Registry) -> Iterator[str]:
        """The names of all repositories of the registry."""
        client, options = self._client(registry), self._page(registry)
        while True:
            with self._asking(registry, "DescribeRepositories"):
                answer = client.describe_repositories(**options)
            yield from (repository["repositoryName"] for repository in answer["repositories"])
            if not (token := answer.get("nextToken")):
                return
            options["nextToken"] = token

    def images(self, registry: Registry, repository: str) -> list[Listed]:
        """The images of one repository that can be pulled; ECR leaves archived ones out."""
        client, found = self._client(registry), list[Listed]()
        options = {**self._page(registry), "repositoryName": repository}
        while True:
            with self._asking(registry, "DescribeImages"):
                answer = client.describe_images(**options)
            found += [_listed(one) for one in answer["imageDetails"] if one.get("imageStatus", "ACTIVE") == "ACTIVE"]
            if not (token := answer.get("nextToken")):
                return found
            options["nextToken"] = token

    def manifests(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        """Manifests as they were pushed."""
        client, wanted, found, problems = self._client(registry), list(digests), dict[str, bytes](), list[str]()
        for start in range(0, len(wanted), _IDS):
            with self._asking(registry, "BatchGetImage"):
                answer = client.batch_get_image(
                    registryId=registry.account,
                    repositoryName=repository,
                    imageIds=[{"imageDigest": digest} for digest in wanted[start : start + _IDS]],
                    acceptedMediaTypes=MANIFESTS,
                )
            found |= {one["imageId"]["imageDigest"]: one["imageManifest"].encode() for one in answer["images"]}
            codes = (str(failure.get("failureCode")) for failure in answer["failures"])
            problems += [f"ECR gives no manifest: {code}" for code in codes if code != "ImageNotFound"]
        return Contents(found, tuple(problems))

    def configurations(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        """Configurations of images, several at a time."""
        client, found, problems = self._client(registry), dict[str, bytes](), list[RegistryError]()

        def url_of(digest: str) -> str:
            answer = client.get_download_url_for_layer(
                registryId=registry.account, repositoryName=repository, layerDigest=digest
            )
            return answer["downloadUrl"]

        with _layers(self._transport) as layers, ThreadPoolExecutor(_PARALLEL) as pool:
            asked = {
                digest: pool.submit(partial(self._configuration, registry, url_of, layers), digest)
                for digest in self._paced(registry, digests)
            }
        for digest, future in asked.items():
            try:
                found[digest] = future.result()
            except ThrottledError:
                raise
            except RegistryError as error:
                problems.append(error)
        is_cut_off = any(isinstance(error, UnreachableError | DeniedError) for error in problems)
        return Contents(found, tuple(map(str, problems)), is_cut_off=is_cut_off)

    def _configuration(
        self, registry: Registry, url_of: Callable[[str], str], layers: httpx2.Client, digest: str
    ) -> bytes:
        with _explained(registry, "GetDownloadUrlForLayer"):
            url = url_of(digest)
        try:
            content = _download(layers, url)
        except (httpx2.HTTPError, OSError) as error:
            raise UnreachableError(
                f"the configurations of images cannot be read from S3 in {registry.region}: {type(error).__name__}. "
                "Fix: give the watcher a route to S3: NAT, or a gateway endpoint whose policy allows the layer bucket"
            ) from error
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise RegistryError(
                f"a configuration of an image does not have its digest, and is not used. Fix: {_PUSH_AGAIN}"
            )
        return content

    def _paced(self, registry: Registry, digests: Iterable[str]) -> Iterator[str]:
        for digest in digests:
            self._pace(registry).wait("GetDownloadUrlForLayer")
            yield digest

    @contextmanager
    def _asking(self, registry: Registry, operation: str) -> Iterator[None]:
        if self._clock.remaining_seconds() < WRITE_SECONDS:
            raise SlowError(
                "a repository has more images than ECR lists in the time of one run, and is not updated. Fix: delete "
                "images that are not used, for example by a lifecycle policy"
            )
        self._pace(registry).wait(operation)
        with _explained(registry, operation):
            yield

    def _pace(self, registry: Registry) -> Pace:
        return self._paces.setdefault(f"{registry.account} {registry.region}", Pace(self._clock))

    def _client(self, registry: Registry) -> "ECRClient":
        if registry.region not in self._clients:
            self._clients[registry.region] = self._new_client(registry.region)
        return self._clients[registry.region]

    @staticmethod
    def _page(registry: Registry) -> dict[str, Any]:
        return {"registryId": registry.account, "maxResults": _PAGE}


@contextmanager
def _explained(registry: Registry, operation: str) -> Iterator[None]:
    """Errors without the name of a repository, so that equal ones count as one kind."""
    place = registry.place
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "RepositoryNotFoundException":
            raise RepositoryGoneError(f"a repository of {place} does not exist") from error
        if code in _DENIED:
            raise DeniedError(
                f"ECR denies {operation} in the registry of {place}. Fix: allow the watcher's role ecr:{operation}; a "
                "registry of another account has to allow it, too: docs/permissions.md"
            ) from error
        if code in _THROTTLED:
            raise ThrottledError(
                f"ECR throttles {operation} in the registry of {place}: {code}. Fix: wait for the next run; if it "
                "lasts, ask AWS for a higher quota"
            ) from error
        raise RegistryError(
            f"{operation} fails in the registry of {place}: {code}. Fix: wait for the next run; if it lasts, look up "
            "the code in the API reference of ECR"
        ) from error
    except (BotoCoreError, OSError) as error:
        raise UnreachableError(
            f"ECR in {registry.region} cannot be reached: {type(error).__name__}. Fix: give the watcher a route to the "
            "ECR API: NAT, or the VPC endpoint ecr.api"
        ) from error


def _listed(image: Mapping[str, Any]) -> Listed:
    counts = image.get("imageScanFindingsSummary", {}).get("findingSeverityCounts", {})
    return Listed(
        digest=image["imageDigest"],
        tags=tuple(image.get("imageTags", ())),
        pushed_at=image["imagePushedAt"],
        pulled_at=image.get("lastRecordedPullTime"),
        size_bytes=image.get("imageSizeInBytes", 0),
        media_type=image.get("imageManifestMediaType", ""),
        artifact_type=image.get("artifactMediaType", ""),
        subject=image.get("subjectManifestDigest", ""),
        findings={str(severity): int(count) for severity, count in counts.items()},
    )


def _layers(transport: httpx2.BaseTransport | None) -> httpx2.Client:
    """OpenSSL's default trust. No redirect is followed: the URL that ECR signed is the layer's own."""
    return httpx2.Client(
        verify=create_default_context(), timeout=_TIMEOUT, follow_redirects=False, trust_env=False, transport=transport
    )


def _download(client: httpx2.Client, url: str) -> bytes:
    """The bytes of a layer, at most those of the largest configuration.

    Raises:
        httpx2.HTTPError: They cannot be read.
        RegistryError: They are too many: another image may be readable.
    """
    if not url.startswith("https://"):
        raise httpx2.UnsupportedProtocol("the URL of a layer is not https")
    with client.stream("GET", url) as response:
        response.raise_for_status()
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) > LARGEST_CONFIGURATION_BYTES:
                raise RegistryError(
                    f"a configuration of an image is larger than its manifest says, and is not used. Fix: {_PUSH_AGAIN}"
                )
        return bytes(content)


@cache
def _new_client(region: str) -> "ECRClient":
    """Reused while the Lambda is warm."""
    return boto3.client("ecr", region_name=region, config=_BOUNDED)
