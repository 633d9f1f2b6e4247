"""The nginx workload, as an operator sets it. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.exposure import Exposure, NlbExposure
from lambda_fn.settings.fields import Address, ClientRange, Image, Quantity
from lambda_fn.settings.table import Table
from lambda_fn.settings.timeouts import Timeouts


class Resources(Table):
    """What a proxy pod asks of its node."""

    cpu_request: Quantity = "250m"
    """CPU reserved for a pod. There is no CPU limit: throttling a proxy lengthens every pull and saves nothing."""
    memory_request: Quantity = "256Mi"
    """Memory reserved for a pod."""
    memory_limit: Quantity = "512Mi"
    """Memory at which a pod is killed. nginx streams, so this does not grow with the size of layers."""

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
    """How clients reach the proxy and where TLS ends: `ingress`, `nlb`, `pod` or `service`."""
    image: Image = "public.ecr.aws/nginx/nginx:1.30.6"
    """nginx 1.27.4 or later with njs at the official image's place. A copy in your own ECR, named by digest, makes the
    proxy independent of public registries: the pods pull with the same `aws-registry` secret.
    """
    replicas: int = Field(default=2, ge=2, le=50)
    """How many proxy pods. At least two, so that losing a node or rolling out never interrupts pulls."""
    resources: Resources = Resources()
    """What each pod asks for."""
    cache: Cache = Cache()
    """What each pod keeps of what it has served."""
    timeouts: Timeouts = Timeouts()
    """How long a pull waits for ECR and S3."""
    blobs: Literal["stream", "redirect"] = "stream"
    """`stream`: blobs come through the proxy and are kept. `redirect`: clients are sent to S3 for them, each with a
    signed URL of its own, which they have to be able to reach; the proxy keeps manifests alone.
    """
    resolver: Address | None = None
    """The DNS server nginx resolves ECR and S3 with. By default the cluster's own, which EKS puts at the tenth address
    of the service range.
    """
    client_cidrs: Annotated[tuple[ClientRange, ...], Field(strict=False, min_length=1)] = (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    )
    """Source ranges the NetworkPolicy lets in, and the load balancer of `nlb`. The private ranges by default: an
    anonymous registry must not face the internet, so no range may be wider than /8, or /16 with IPv6.
    """
    drain_seconds: int = Field(default=3600, ge=30, le=21600)
    """How long a stopping pod finishes the pulls it is serving, in seconds. At least the longest pull of your largest
    layer.
    """

    @model_validator(mode="after")
    def _somebody_reaches_the_load_balancer(self) -> Self:
        if isinstance(self.exposure, NlbExposure) and all(":" in cidr for cidr in self.client_cidrs):
            raise ValueError(
                f"client_cidrs = {', '.join(self.client_cidrs)} lets nobody in: the load balancer of exposure.kind = "
                '"nlb" has IPv4 addresses alone, so name the clients\' IPv4 ranges'
            )
        return self

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx itself serves, or nothing where TLS ends before it."""
        return self.exposure.pod_tls_secret
