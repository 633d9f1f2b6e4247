"""The nginx workload, as an operator sets it. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings import memory
from lambda_fn.settings.budget import Budget
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.exposure import Exposure
from lambda_fn.settings.fields import AnnotationValue, AnyNamespace, Cpu, ExtraName, Image, LabelValue, Memory
from lambda_fn.settings.networks import Address, ClientRange
from lambda_fn.settings.scheduling import Scheduling
from lambda_fn.settings.table import NO_OTHER_KEYS, Table
from lambda_fn.settings.timeouts import Timeouts

_KEYS_SHARE = 4
"""The keys of the cache may take one in this many bytes of the memory limit; connections and pulls need the rest."""
_ANNOTATIONS_BYTES = 32 * 1024
"""Kubernetes takes 256 KiB for an object's annotations; kubectl stores all of the object in one of them."""
_LOWEST_RATE = 10
"""Requests per second of a pod: with fewer, one image takes seconds."""


class Resources(Table):
    """The resources of a proxy pod."""

    cpu_request: Cpu = "250m"
    """CPU reserved for a pod. There is no CPU limit, because throttling would slow down every pull and save nothing."""
    memory_request: Memory = "256Mi"
    """Memory reserved for a pod."""
    memory_limit: Memory = "1Gi"
    """The memory at which the kernel kills a pod. It decides how many connections a pod has, by default 27,432, or
    11,844 where nginx ends TLS; 17,000, as one hostile client may open, need 1Gi, or 2Gi with TLS. A quarter is for
    layers of 1 GB or more, 0.7 MiB for each GiB of one: a pod sends 6 of ECR's largest at once, or 64 of 5 GB, and
    half as many to one client. The next pull waits for up to 50 seconds, then gets 503.
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
    """How clients reach the proxy and where TLS is terminated: `gateway`, `ingress`, `nlb`, `pod` or
    `service`."""
    image: Image = "public.ecr.aws/nginx/nginx:1.30.6"
    """The image of the pods: nginx 1.29.3 or later, with the njs module in the same folder as in the official image. A
    copy in your own ECR, named by digest, makes the proxy independent of public registries: the pods pull it with the
    `aws-registry` Secret.
    """
    image_pull_policy: Literal["Always", "IfNotPresent"] | None = None
    """When the kubelet asks the registry of `image`. By default `Always` for the tag `latest`, else `IfNotPresent`.
    With `Always` no pod starts while that registry is unavailable.
    """
    replicas: int = Field(default=2, ge=2, le=50)
    """How many proxy pods. At least two, so that neither the loss of a node nor a rollout interrupts pulls. With one in
    each zone, clients inside the cluster pull through the pods of their own zone.
    """
    scheduling: Scheduling = Scheduling()
    """Where the pods run."""
    labels: dict[ExtraName, LabelValue] = Field(default={}, json_schema_extra=NO_OTHER_KEYS)
    """Labels of every object that the charts and the Lambda write, and of the pods, as admission policies and cost
    reports demand them. Selectors do not have them.
    """
    annotations: dict[ExtraName, AnnotationValue] = Field(default={}, json_schema_extra=NO_OTHER_KEYS)
    """Annotations of the same objects, at most 32 KiB."""
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
    monitoring_namespace: AnyNamespace | None = None
    """The namespace of your Prometheus. With it each pod has metrics on port 8083, which the NetworkPolicy opens to
    this namespace alone. By default nothing listens there.
    """
    scrape: Literal["annotations", "servicemonitor"] = "annotations"
    """How your Prometheus finds the pods, with `monitoring_namespace`: by the pods' annotations `prometheus.io/...` or
    the name of their port, `metrics`; or by a ServiceMonitor (`monitoring.coreos.com/v1`), whose CRD the cluster must
    have. It has the `labels`, by which the operator may select.
    """
    ecr_requests_per_second: int = Field(default=600, ge=30, le=2000)
    """How many requests all pods together send to one registry, in a second. ECR's own limits are for the account and
    region, and shared with everything else that pulls there: 2,000 manifests (`BatchGetImage`) and 3,000 layers. Each
    pod has an equal part, a client with a known address half of it. What exceeds it waits for some seconds, then gets
    429. Cached content does not count.
    """
    drain_seconds: int = Field(default=900, ge=30, le=21600)
    """How long a stopping pod may finish its running pulls, in seconds: the time of the slowest pull of your largest
    layer. What ends a pod earlier, docs/operations.md says under "What ends a running pull".
    """

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None where TLS is terminated before nginx."""
        return self.exposure.pod_tls_secret

    @property
    def budget(self) -> Budget:
        """What each pod may request from one registry, also while a rollout adds a pod."""
        return Budget(rate=self.ecr_requests_per_second // (self.replicas + 1))

    @property
    def memory(self) -> memory.Memory:
        """How a pod's memory limit is divided."""
        return memory.divided(self._memory_limit_bytes, self.cache.key_zone_mib, tls=self.pod_tls_secret is not None)

    @property
    def _memory_limit_bytes(self) -> int:
        return int(parse_quantity(self.resources.memory_limit))

    @model_validator(mode="after")
    def _each_zone_has_a_pod(self) -> Self:
        zones = self.exposure.zones_with_pods
        if self.replicas < zones:
            raise ValueError(
                f"replicas = {self.replicas} is less than the {zones} zones of exposure.subnets: with "
                f"exposure.zone_affinity = true each zone needs a pod. Fix: set replicas to {zones} or more, or leave "
                "zone_affinity out"
            )
        return self

    @model_validator(mode="after")
    def _what_is_scraped_exists(self) -> Self:
        if self.scrape == "servicemonitor" and self.monitoring_namespace is None:
            raise ValueError(
                'scrape = "servicemonitor": the pods have no metrics. Fix: set monitoring_namespace to the namespace '
                "of your Prometheus, or leave scrape out"
            )
        return self

    @model_validator(mode="after")
    def _annotations_fit_into_an_object(self) -> Self:
        found = sum(len(text.encode()) for pair in self.annotations.items() for text in pair)
        if found > _ANNOTATIONS_BYTES:
            raise ValueError(f"annotations have {found} bytes: must be at most {_ANNOTATIONS_BYTES} together")
        return self

    @model_validator(mode="after")
    def _each_pod_has_a_part_of_the_budget(self) -> Self:
        if self.budget.rate < _LOWEST_RATE:
            pods = self.replicas + 1
            raise ValueError(
                f"ecr_requests_per_second = {self.ecr_requests_per_second} leaves each of {pods} pods (replicas = "
                f"{self.replicas}, and one more in a rollout) less than {_LOWEST_RATE}, with which pulls wait for "
                f"minutes. Fix: set ecr_requests_per_second to {_LOWEST_RATE * pods} or more, or reduce replicas"
            )
        return self

    @model_validator(mode="after")
    def _memory_holds_the_cache_and_a_useful_pod(self) -> Self:
        keys_mib = self.cache.key_zone_mib
        smallest_mib = memory.smallest_limit_mib(keys_mib, tls=self.pod_tls_secret is not None)
        needed_mib = self.cache.full_key_zone_mib
        limit = self.resources.memory_limit
        if keys_mib == needed_mib > self._memory_limit_bytes / (_KEYS_SHARE * 2**20):
            raise ValueError(
                f"cache.size_gib = {self.cache.size_gib}: its keys take {needed_mib} MiB of memory when it is full, "
                f"more than a quarter of resources.memory_limit = {limit}. Fix: set memory_limit to "
                f"{max(_KEYS_SHARE * needed_mib, smallest_mib)}Mi or more, or reduce size_gib"
            )
        if self._memory_limit_bytes < smallest_mib * 2**20:
            raise ValueError(
                f"resources.memory_limit = {limit} leaves each worker of nginx fewer than "
                f"{memory.FEWEST_CONNECTIONS} connections. Fix: set memory_limit to {smallest_mib}Mi or more"
            )
        return self
