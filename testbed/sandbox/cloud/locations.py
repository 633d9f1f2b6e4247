"""The Location of a blob: a presigned URL of ECR's own layer bucket. Pure but for the clock.

The registry behind the front says whether a repository has a blob. Here the blob gets the URL that ECR would give:
its bucket and host, one key for each repository, its lifetime, its token.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.hosts import RegistryHost, layer_host

_TOKEN_CHARACTERS = 800
_DIGEST = re.compile(r"sha256:(?P<hex>[0-9a-f]{64})")
_KEY = re.compile(r"/(?P<owner>[0-9a-f]{8}-\d{12})/(?P<hex>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Layer:
    """An object of a layer bucket.

    Attributes:
        owner: Stands for the registry and repository that the layer was asked from.
        digest: SHA-256 of its bytes, in hex.
    """

    owner: str
    digest: str

    @classmethod
    def of(cls, host: RegistryHost, repository: str, digest: str) -> "Layer":
        """The layer of a repository with this digest, as `sha256:<hex>`.

        Raises:
            ValueError: It is another digest.
        """
        match = _DIGEST.fullmatch(digest)
        if match is None:
            message = f"{digest} is not a SHA-256 digest"
            raise ValueError(message)
        name = hashlib.sha256(f"{host.prefix}/{repository}".encode()).hexdigest()[:8]
        return cls(f"{name}-{host.account}", match["hex"])

    @classmethod
    def parse(cls, path: str) -> "Layer | None":
        """The layer a path of the layer bucket names."""
        match = _KEY.fullmatch(path)
        return cls(match["owner"], match["hex"]) if match else None

    @property
    def path(self) -> str:
        """Its path in the layer bucket."""
        return f"/{self.owner}/{self.digest}"

    @property
    def stored_as(self) -> str:
        """The path of its bytes below the registry's folder."""
        return f"docker/registry/v2/blobs/sha256/{self.digest[:2]}/{self.digest}/data"


class Signer:
    """ECR's own credentials for the layer buckets."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Change the credentials: every Location signed so far becomes invalid."""
        self.key_id = f"ASIA{secrets.token_hex(8).upper()}"
        self.secret = secrets.token_urlsafe(30)

    def location(self, layer: Layer, region: str, behaviour: Behaviour) -> str:
        """The Location for a layer, as `behaviour` wants it."""
        token_characters = _TOKEN_CHARACTERS
        if behaviour.location_characters:
            shortest = len(self._signed(layer, region, behaviour.location_lifetime_seconds, ""))
            token_characters = behaviour.location_characters - shortest - len("&X-Amz-Security-Token=")
        url = self._signed(layer, region, behaviour.location_lifetime_seconds, "I" * token_characters)
        origin = f"https://{layer_host(region)}"
        if behaviour.location_relative:
            return url.removeprefix(origin)
        return url.replace(origin, f"https://{behaviour.location_host}", 1) if behaviour.location_host else url

    def _signed(self, layer: Layer, region: str, lifetime_seconds: int, token: str) -> str:
        credentials = Credentials(self.key_id, self.secret, token or None)
        request = AWSRequest("GET", f"https://{layer_host(region)}{layer.path}")
        S3SigV4QueryAuth(credentials, "s3", region, expires=lifetime_seconds).add_auth(request)
        return str(request.url)
