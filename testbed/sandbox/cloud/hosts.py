"""Host names of AWS, taken apart. Pure."""

import re
from dataclasses import dataclass

from lambda_fn.contract.registries import layer_hosts
from testbed.sandbox.cloud.endpoints import REGIONS
from testbed.sandbox.names import CDN_HOST

_REGION = "|".join(REGIONS)
_REGISTRY = re.compile(rf"(?P<account>\d{{12}})\.dkr\.ecr\.(?P<region>{_REGION})\.amazonaws\.com")
_API = re.compile(rf"(?P<service>sts|eks|api\.ecr)\.(?P<region>{_REGION})\.amazonaws\.com")


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """A private registry: one account in one region."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    @property
    def prefix(self) -> str:
        """The namespace this registry has inside the one real registry behind all of them."""
        return f"{self.account}/{self.region}"

    @classmethod
    def parse(cls, host: str) -> "RegistryHost | None":
        """The registry a `Host` header or a server name means; `None` for any other host."""
        match = _REGISTRY.fullmatch(_without_port(host))
        return cls(match["account"], match["region"]) if match else None


@dataclass(frozen=True, slots=True)
class ApiHost:
    """An AWS API in a region; `service` as in the credential scope: `sts`, `eks`, `ecr`."""

    service: str
    region: str

    @classmethod
    def parse(cls, host: str) -> "ApiHost | None":
        """The API a `Host` header means; `None` for one that is moto's alone."""
        match = _API.fullmatch(_without_port(host))
        return cls(match["service"].removeprefix("api."), match["region"]) if match else None


def layer_host(region: str) -> str:
    """The host that a blob's Location leads to."""
    return layer_hosts(region)[0]


def is_layer_host(host: str) -> bool:
    """Whether this is a layer bucket, in virtual-host style."""
    return any(_without_port(host) in layer_hosts(region) for region in REGIONS)


def is_cdn_host(host: str) -> bool:
    """Whether an upstream of pull-through caches has its blobs there."""
    return _without_port(host) == CDN_HOST


def is_s3_host(host: str) -> bool:
    """Whether this is S3, or the CDN that stands beside it."""
    return is_aws_host(host) or is_cdn_host(host)


def is_registry_host(host: str) -> bool:
    """Whether this is a private registry."""
    return RegistryHost.parse(host) is not None


def is_aws_host(host: str) -> bool:
    """Whether AWS could own this name."""
    return _without_port(host).endswith(".amazonaws.com")


def _without_port(host: str) -> str:
    return host.lower().partition(":")[0]
