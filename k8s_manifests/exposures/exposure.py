"""What the charts, the stack and the doctor need to know of a way to reach the proxy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lightkube.core.resource import Resource

from k8s_manifests.exposures.controllers import Controller
from k8s_manifests.exposures.target_groups import UNKNOWN, TargetGroups
from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT, PROXY_PROTOCOL, PROXY_PROTOCOL_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One way to reach the proxy. The defaults are those of a kind without a load balancer of the stack.

    Attributes:
        kind: `proxy.exposure.kind` of the settings.
        sources: The network ranges from which connections reach the pods.
        proxy_protocol_sources: Those from which they begin with a PROXY protocol header, on a port for them alone.
        tls_secret: The TLS Secret that nginx serves; None where TLS is terminated before nginx.
        access_objects: Its objects that an administrator applies, beside the Service.
        proxy_objects: Its objects that a deployment applies before the pods.
        namespace_labels: Labels of the namespace that it needs.
        endpoint_seconds: How long a stopping pod still accepts connections: until no client is sent to it.
        registration_seconds: The longest time until a load balancer sends clients to a new pod, which is ready only
            then; 0 without one.
        controller: What registers the pods with the load balancer of the stack; None without one.
        target_groups: The target groups that the objects name.
        vpc_endpoints: The VPC endpoints it needs where the VPC has no NAT, each with its purpose.
        zones: How many zones the settings name; 0 where they name none.
        clients_setting: The key of `proxy.exposure` by which nginx would know the clients' addresses.
        clients_fix: How to set it, where nginx does not know them.
    """

    kind: str
    sources: tuple[str, ...]
    proxy_protocol_sources: tuple[str, ...] = ()
    tls_secret: str | None = None
    access_objects: tuple[Resource, ...] = ()
    proxy_objects: tuple[Resource, ...] = ()
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    endpoint_seconds: int = 10
    registration_seconds: int = 0
    controller: Controller | None = None
    target_groups: TargetGroups = UNKNOWN
    vpc_endpoints: Mapping[str, str] = field(default_factory=dict)
    zones: int = 0
    clients_setting: str = "trusted_proxies"
    clients_fix: str = "set it to the network ranges of the proxies that write X-Forwarded-For"

    @property
    def has_load_balancer(self) -> bool:
        """Whether the stack makes a load balancer, with target groups for the pods."""
        return self.controller is not None

    @property
    def listening_port(self) -> int:
        """The container port that clients use. 8080 always listens, for the kubelet's probes."""
        return HTTPS_PORT if self.tls_secret else HTTP_PORT

    @property
    def service_port(self) -> int:
        """The Service's only port: 443 where nginx terminates TLS, so that no plain HTTP is served; otherwise 80."""
        return 443 if self.tls_secret else 80

    @property
    def port_name(self) -> str:
        """The name of both ports."""
        return "https" if self.tls_secret else "http"

    @property
    def openings(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """The container ports that are open, each with the network ranges that it is open to."""
        plain = (self.listening_port, self.sources)
        proxy_protocol = (PROXY_PROTOCOL_PORT, self.proxy_protocol_sources)
        return (plain, proxy_protocol) if self.proxy_protocol_sources else (plain,)

    @property
    def service_ports(self) -> dict[str, int]:
        """The ports of the Service by the name of the container port that each leads to."""
        plain = {self.port_name: self.service_port}
        return plain | {PROXY_PROTOCOL: PROXY_PROTOCOL_PORT} if self.proxy_protocol_sources else plain
