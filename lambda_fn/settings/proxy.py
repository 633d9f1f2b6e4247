"""The nginx workload and the ways to reach it, as an operator sets them. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.cache import Cache
from lambda_fn.settings.fields import Address, AnnotationName, Image, NetworkRange, ObjectName, Quantity, amount
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
        if amount(self.memory_limit) < amount(self.memory_request):
            raise ValueError(
                f"memory_limit = {self.memory_limit} is below memory_request = {self.memory_request}: raise the limit"
            )
        return self


class IngressExposure(Table):
    """An Ingress controller of the cluster ends TLS."""

    kind: Literal["ingress"]
    """`ingress`."""
    class_name: ObjectName
    """The IngressClass, such as `alb` or `nginx`."""
    tls_secret: ObjectName | None = None
    """The TLS Secret's name. Leave it out where the controller finds the certificate itself, as the AWS Load Balancer
    Controller does in ACM.
    """
    annotations: dict[AnnotationName, str] = Field(default_factory=dict)
    """Annotations of the Ingress, for its controller and for cert-manager."""


class PodExposure(Table):
    """nginx itself ends TLS, on the Service's port 443."""

    kind: Literal["pod"]
    """`pod`."""
    tls_secret: ObjectName
    """The TLS Secret's name. It must be in the namespace before the first deployment, since pods wait for it. A renewed
    certificate is picked up without a restart.
    """


class ServiceExposure(Table):
    """A plain Service on port 80: TLS ends in front of it, in something this project does not manage."""

    kind: Literal["service"]
    """`service`."""


Exposure = Annotated[IngressExposure | PodExposure | ServiceExposure, Field(discriminator="kind")]


class Proxy(Table):
    """The nginx workload."""

    exposure: Exposure
    """How clients reach the proxy and where TLS ends: `ingress`, `pod` or `service`."""
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
    client_cidrs: Annotated[tuple[NetworkRange, ...], Field(strict=False, min_length=1)] = (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    )
    """Source ranges the NetworkPolicy lets in. The private ranges by default: an anonymous registry must not face the
    internet.
    """
    drain_seconds: int = Field(default=3600, ge=30, le=21600)
    """How long a stopping pod finishes the pulls it is serving, in seconds. At least the longest pull of your largest
    layer.
    """
