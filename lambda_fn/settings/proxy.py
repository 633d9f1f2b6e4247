"""The nginx workload, as an operator sets it. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.exposure import Exposure
from lambda_fn.settings.fields import Image, Quantity
from lambda_fn.settings.networks import Address, ClientRange
from lambda_fn.settings.table import Table
from lambda_fn.settings.timeouts import Timeouts

_KEYS_SHARE = 4
"""The keys of the cache may take one in this many bytes of the memory limit; connections and pulls need the rest."""
_FULL_SHARE = 0.8
"""The part of the memory limit that is planned for."""
_OTHERS_MIB = 128
"""nginx itself and other pulls: 37 MiB beside 200 ordinary clients (`make soak`), and a reserve."""


class Resources(Table):
    """The resources of a proxy pod."""

    cpu_request: Quantity = "250m"
    """CPU reserved for a pod. There is no CPU limit, because throttling would slow down every pull and save nothing."""
    memory_request: Quantity = "256Mi"
    """Memory reserved for a pod."""
    memory_limit: Quantity = "1Gi"
    """The memory at which the kernel kills a pod. A client that pulls a large layer takes about 0.7 MiB for each GiB
    that it has received. The limit also bounds how many layers of 1 GB or more a pod sends at once, by default 17 of
    ECR's largest, or 164 of 5 GB: the next pull waits for up to 50 seconds, then gets 503. The default holds every
    connection that a pod accepts.
    """

    @model_validator(mode="after")
    def _limit_covers_the_request(self) -> Self:
        if parse_quantity(self.memory_limit) < parse_quantity(self.memory_request):
            raise ValueError(
                f"memory_limit = {self.memory_limit} is below memory_request = {self.memory_request}: raise the limit"
            )
        return self


class Proxy(Table):
    """The nginx workload."""

    exposure: Exposure
    """How clients reach the proxy and where TLS is terminated: `ingress`, `nlb`, `pod` or `service`."""
    image: Image = "public.ecr.aws/nginx/nginx:1.30.6"
    """The image of the pods: nginx 1.29.3 or later, with the njs module in the same folder as in the official image. A
    copy in your own ECR, named by digest, makes the proxy independent of public registries: the pods pull it with the
    `aws-registry` Secret.
    """
    replicas: int = Field(default=2, ge=2, le=50)
    """How many proxy pods. At least two, so that neither the loss of a node nor a rollout interrupts pulls."""
    resources: Resources = Resources()
    """The resources of each pod."""
    cache: Cache = Cache()
    """The cache of each pod."""
    timeouts: Timeouts = Timeouts()
    """How long the proxy waits for ECR and S3."""
    blobs: Literal["stream", "redirect"] = "stream"
    """`stream`: the proxy serves and caches blobs. `redirect`: the proxy redirects each client to a signed URL of S3,
    which the client must be able to reach, and caches only manifests.
    """
    resolver: Address | None = None
    """The address of the DNS server with which nginx resolves ECR and S3. By default the cluster's DNS service, which
    EKS puts at the tenth address of the service range.
    """
    client_cidrs: Annotated[tuple[ClientRange, ...], Field(strict=False, min_length=1)] = (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    )
    """The network ranges of the clients, which the NetworkPolicy and the load balancer of `nlb` allow. By default the
    private ranges: the registry needs no login, so it must not be on the internet. No range may be wider than /8
    (IPv4) or /16 (IPv6, outside of fc00::/7). An IPv6 cluster needs an IPv6 range.
    """
    drain_seconds: int = Field(default=3600, ge=30, le=21600)
    """How long a stopping pod may finish its running pulls, in seconds. Set at least the time of the slowest pull of
    your largest layer.
    """

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None where TLS is terminated before nginx."""
        return self.exposure.pod_tls_secret

    @property
    def memory_for_large_pulls_mib(self) -> int:
        """What nginx may hold for pulls of layers of 1 GB or more, in MiB: those that would need more wait.

        80 % of the memory limit, without the keys of the cache and what other pulls need.
        """
        limit_mib = float(parse_quantity(self.resources.memory_limit)) / 2**20
        return max(0, int(limit_mib * _FULL_SHARE) - _OTHERS_MIB - self.cache.key_zone_mib)

    @model_validator(mode="after")
    def _memory_holds_the_keys_of_the_cache(self) -> Self:
        allowed_mib = parse_quantity(self.resources.memory_limit) / (_KEYS_SHARE * 2**20)
        needed_mib = self.cache.full_key_zone_mib
        if self.cache.key_zone_mib == needed_mib > allowed_mib:
            raise ValueError(
                f"cache.size_gib = {self.cache.size_gib}: its keys take {needed_mib} MiB of memory when it is full, "
                f"more than a quarter of resources.memory_limit = {self.resources.memory_limit}. Fix: set "
                f"memory_limit to {_KEYS_SHARE * needed_mib}Mi or more, or reduce size_gib"
            )
        return self
