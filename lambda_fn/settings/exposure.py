"""The ways to reach the proxy, as an operator sets them. Pure."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.fields import (
    AnnotationName,
    AnnotationValue,
    AnyName,
    AnyNamespace,
    CertificateArn,
    HostedZoneId,
    ObjectName,
    SubnetId,
    TargetGroupArn,
)
from lambda_fn.settings.networks import NetworkRangeV4, ProxyRange
from lambda_fn.settings.table import NO_OTHER_KEYS, Table

_ALB_SCHEME = "alb.ingress.kubernetes.io/scheme"
"""The one annotation of an Ingress that decides who reaches it from outside. Where ingress-nginx and others listen, the
Service of the controller says, which is not ours.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme
"""


ClientAddress = Literal["connection", "forwarded", "proxy_protocol", "unknown"]


class ExposureTable(Table):
    """What the other tables need to know of every kind."""

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None where TLS is terminated before nginx."""
        return None

    @property
    def certificate_secret(self) -> str | None:
        """The TLS Secret, whatever serves it; None without one."""
        secret: str | None = getattr(self, "tls_secret", None)
        return secret

    @property
    def client_address(self) -> ClientAddress:
        """Where nginx knows the client's address from."""
        return "connection"

    @property
    def proxies(self) -> tuple[str, ...]:
        """The network ranges of what stands before nginx, whose word about the client's address is believed."""
        return ()

    def hides_clients(self, *, manifests: str) -> bool:
        """Whether what stands before nginx connects from its own address and names no client."""
        del manifests
        return self.client_address == "unknown"

    @property
    def arns(self) -> dict[str, str | None]:
        """The ARNs of resources in the cluster's region, by their keys."""
        return {}

    @property
    def zones_with_pods(self) -> int:
        """In how many zones there must be a pod, because clients of a zone use no other one."""
        return 0

    def ipv6_conflict(self, found: str) -> str | None:
        """Why the kind does not work in an IPv6 cluster, as the setting `found` shows; None if it does."""
        del found
        return None

    def conflicts(self, *, manifests: str, client_cidrs: tuple[str, ...]) -> Iterator[str]:
        """What does not fit to `manifests` and `proxy.client_cidrs`, each as a message."""
        del manifests, client_cidrs
        yield from ()


class _BehindProxies(ExposureTable):
    """What something that ecr-frontdoor does not manage may stand before."""

    trusted_proxies: Annotated[tuple[ProxyRange, ...], Field(strict=False)] = ()
    """The network ranges of the proxies before nginx that write the client's address into `X-Forwarded-For`. Only from
    them is the header believed, so name their subnets alone: whatever is in these ranges may claim any address. The
    NetworkPolicy lets them in beside `proxy.client_cidrs`.
    """

    @property
    def client_address(self) -> ClientAddress:
        """The header of the proxies; without them the address is not known."""
        return "forwarded" if self.trusted_proxies else "unknown"

    @property
    def proxies(self) -> tuple[str, ...]:
        """The proxies of the settings."""
        return tuple(dict.fromkeys(self.trusted_proxies))


class IngressExposure(_BehindProxies):
    """An Ingress controller of the cluster terminates TLS."""

    kind: Literal["ingress"]
    """`ingress`."""
    class_name: ObjectName
    """The IngressClass, such as `alb`."""
    tls_secret: ObjectName | None = None
    """The name of the TLS Secret. Leave it out if the controller finds the certificate itself, as the AWS Load Balancer
    Controller does in ACM.
    """
    annotations: dict[AnnotationName, AnnotationValue] = Field(default_factory=dict, json_schema_extra=NO_OTHER_KEYS)
    """Annotations of the Ingress, for its controller and for cert-manager. `alb.ingress.kubernetes.io/scheme` must be
    `internal`, which is also its default: the registry must not be on the internet.
    """

    @model_validator(mode="after")
    def _stays_off_the_internet(self) -> Self:
        found = self.annotations.get(_ALB_SCHEME, "internal")
        if found != "internal":
            raise ValueError(
                f"annotations.{_ALB_SCHEME} = {found}: must be "
                "internal, which is also the default: any other scheme gives a registry without login a "
                "public address"
            )
        return self


class GatewayExposure(_BehindProxies):
    """A Gateway of the cluster (Gateway API 1.5 or later) leads to the proxy, and terminates TLS if nginx does not."""

    kind: Literal["gateway"]
    """`gateway`."""
    gateway: AnyName
    """The name of the Gateway. A listener of it has to allow routes of ecr-frontdoor's namespace."""
    gateway_namespace: AnyNamespace
    """The namespace of the Gateway."""
    section_name: AnyName | None = None
    """The listener of the Gateway. By default every one that the domain fits."""
    tls_secret: ObjectName | None = None
    """The name of the TLS Secret, if nginx terminates TLS: the listener then has `mode: Passthrough`, and gets a
    TLSRoute, and `proxy.client_cidrs` has to hold the Gateway's proxies. By default the Gateway terminates TLS and gets
    an HTTPRoute.
    """

    @property
    def client_address(self) -> ClientAddress:
        """The header of the Gateway, which it can write only where it terminates TLS."""
        return "forwarded" if self.trusted_proxies and not self.tls_secret else "unknown"

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None where the Gateway terminates TLS."""
        return self.tls_secret

    @model_validator(mode="after")
    def _passed_through_tls_has_no_header(self) -> Self:
        if self.tls_secret and self.trusted_proxies:
            raise ValueError(
                f"trusted_proxies = {', '.join(self.trusted_proxies)}: must be left out with tls_secret, because a "
                "Gateway that passes TLS through writes no header"
            )
        return self


class NlbExposure(ExposureTable):
    """An internal Network Load Balancer that the stack owns; a controller of the cluster registers the pods.

    Set exactly one of `certificate_arn`, `certificate_zone_id` and `tls_secret`: it decides where TLS is terminated.
    """

    kind: Literal["nlb"]
    """`nlb`."""
    subnets: Annotated[dict[SubnetId, NetworkRangeV4], Field(min_length=1, json_schema_extra=NO_OTHER_KEYS)]
    """The private subnets of the load balancer, one in each zone, each with its IPv4 range. The NetworkPolicy allows
    connections from these ranges.
    """
    controller: Literal["aws-load-balancer-controller", "eks-auto-mode"] = "aws-load-balancer-controller"
    """What registers the pods: the AWS Load Balancer Controller that you installed, or the load balancing of EKS Auto
    Mode. AWS supports no move of a load balancer from one to the other: before you change it, destroy the stack.
    """
    certificate_arn: CertificateArn | None = None
    """An ACM certificate in the cluster's region. The load balancer terminates TLS."""
    certificate_zone_id: HostedZoneId | None = None
    """The public Route 53 zone in which the stack validates the domain for an ACM certificate that it creates. The load
    balancer terminates TLS.
    """
    tls_secret: ObjectName | None = None
    """The name of the TLS Secret. TLS passes through the load balancer; nginx terminates it, as with `pod`."""
    alias_zone_id: HostedZoneId | None = None
    """The Route 53 zone, usually private, in which the stack creates an alias from the domain to the load balancer."""
    preserve_client_ip: bool = False
    """How nginx learns the clients' addresses. `false`: the load balancer sends them by PROXY protocol. `true`: it
    connects from them, and a node then cannot pull through a proxy pod on the same node.
    """
    deletion_protection: bool = False
    """`true`: AWS refuses to delete the load balancer. The stack turns the protection on when all else exists, and off
    before it deletes anything, so neither a rollback nor `make destroy` fails.
    """
    zone_affinity: bool = False
    """`true`: a client uses the load balancer and the pods of its own zone, which saves the cost of the traffic between
    zones (docs/costs.md). Then `proxy.replicas` has to be at least the number of `subnets`, each zone fills caches of
    its own, and clients of a zone that has lost its pods fail for about a minute, until DNS leads them to another one.
    """
    target_group_arn: TargetGroupArn | None = None
    """The stack's output `TargetGroupArn`, only for `manifests = "external"`: the TargetGroupBinding that you apply
    names it. Set it after the first deployment.
    """
    proxy_protocol_target_group_arn: TargetGroupArn | None = None
    """The same with the output `ProxyProtocolTargetGroupArn`. Without it the load balancer sends no PROXY protocol.
    Apply the charts with it, then deploy.
    """

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None with a certificate at the load balancer."""
        return self.tls_secret

    @property
    def arns(self) -> dict[str, str | None]:
        """The certificate and the target group."""
        return {
            "proxy.exposure.certificate_arn": self.certificate_arn,
            "proxy.exposure.target_group_arn": self.target_group_arn,
            "proxy.exposure.proxy_protocol_target_group_arn": self.proxy_protocol_target_group_arn,
        }

    @property
    def zones_with_pods(self) -> int:
        """Those of the load balancer, with zone affinity."""
        return len(self.subnets) if self.zone_affinity else 0

    @property
    def client_address(self) -> ClientAddress:
        """The header that the load balancer begins each connection with, on the port for it."""
        return "proxy_protocol"

    @property
    def proxies(self) -> tuple[str, ...]:
        """The load balancer's subnets."""
        return tuple(dict.fromkeys(self.subnets.values()))

    def sends_proxy_protocol(self, *, manifests: str) -> bool:
        """Whether the load balancer leads to the target group with PROXY protocol.

        Not with client addresses that are preserved. Where the stack does not put pods into that group, not before the
        settings name it: the binding of the other one may exist without a setting, by an option of the command.
        """
        has_pods = manifests != "external" or self.proxy_protocol_target_group_arn is not None
        return has_pods and not self.preserve_client_ip

    def hides_clients(self, *, manifests: str) -> bool:
        """Whether the load balancer leads to the plain target group without preserved addresses."""
        return not (self.preserve_client_ip or self.sends_proxy_protocol(manifests=manifests))

    def ipv6_conflict(self, found: str) -> str:
        """The load balancer has only IPv4 addresses."""
        return (
            f'proxy.exposure.kind = "nlb": has only IPv4 addresses, and {found} is IPv6: the pods of an IPv6 cluster '
            "have no IPv4 address. Fix: use gateway, ingress, pod or service"
        )

    def conflicts(self, *, manifests: str, client_cidrs: tuple[str, ...]) -> Iterator[str]:
        """The load balancer has only IPv4 addresses, and the stack names its own target group."""
        if all(":" in cidr for cidr in client_cidrs):
            yield (
                f"proxy.client_cidrs = {', '.join(client_cidrs)}: must hold an IPv4 range, because the load balancer "
                'of proxy.exposure.kind = "nlb" has only IPv4 addresses'
            )
        groups = {
            "target_group_arn": self.target_group_arn,
            "proxy_protocol_target_group_arn": self.proxy_protocol_target_group_arn,
        }
        for key, arn in groups.items():
            if arn and manifests != "external":
                yield (
                    f"proxy.exposure.{key} = {arn}: must be left out unless manifests = "
                    '"external", because the stack names its own target groups'
                )

    @model_validator(mode="after")
    def _tls_ends_in_one_place(self) -> Self:
        if [self.certificate_arn, self.certificate_zone_id, self.tls_secret].count(None) != 2:  # noqa: PLR2004 - of three
            raise ValueError(
                "set exactly one of certificate_arn (ACM has it), certificate_zone_id (the stack orders it) and "
                "tls_secret (nginx terminates TLS)"
            )
        return self


class PodExposure(_BehindProxies):
    """nginx terminates TLS, behind the Service's port 443."""

    kind: Literal["pod"]
    """`pod`."""
    tls_secret: ObjectName
    """The name of the TLS Secret. It must be in the namespace before the first deployment, because the pods wait for
    it. nginx uses a renewed certificate without a restart.
    """

    @property
    def client_address(self) -> ClientAddress:
        """The header of the proxies; without them clients connect to nginx itself, for it terminates TLS."""
        return "forwarded" if self.trusted_proxies else "connection"

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves."""
        return self.tls_secret


class ServiceExposure(_BehindProxies):
    """A plain Service on port 80. TLS is terminated before it, by something that ecr-frontdoor does not manage."""

    kind: Literal["service"]
    """`service`."""


Exposure = Annotated[
    GatewayExposure | IngressExposure | NlbExposure | PodExposure | ServiceExposure, Field(discriminator="kind")
]
