"""The ways to reach the proxy, as an operator sets them. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.fields import (
    AnnotationName,
    CertificateArn,
    HostedZoneId,
    NetworkRangeV4,
    ObjectName,
    SubnetId,
    TargetGroupArn,
)
from lambda_fn.settings.table import Table

_ALB_SCHEME = "alb.ingress.kubernetes.io/scheme"
"""The one annotation of an Ingress that decides who reaches it from outside. Where ingress-nginx and others listen, the
Service of the controller says, which is not ours.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme
"""


class ExposureTable(Table):
    """What the other tables need to know of every kind."""

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None where TLS is terminated before nginx."""
        return None


class IngressExposure(ExposureTable):
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
    """Annotations of the Ingress, for its controller and for cert-manager. None may open it to the internet."""

    @model_validator(mode="after")
    def _stays_off_the_internet(self) -> Self:
        found = self.annotations.get(_ALB_SCHEME, "internal")
        if found != "internal":
            raise ValueError(
                f"annotations.{_ALB_SCHEME} = {found} would give an anonymous registry a public address: it must be "
                "internal, which is also the default"
            )
        return self


class NlbExposure(ExposureTable):
    """An internal Network Load Balancer that the stack owns; the AWS Load Balancer Controller puts the pods behind it.

    Exactly one of `certificate_arn`, `certificate_zone_id` and `tls_secret` says where TLS ends.
    """

    kind: Literal["nlb"]
    """`nlb`."""
    subnets: Annotated[dict[SubnetId, NetworkRangeV4], Field(min_length=1)]
    """The private subnets the load balancer stands in, one in each zone, each with its range. The NetworkPolicy lets
    the load balancer in from there.
    """
    certificate_arn: CertificateArn | None = None
    """An ACM certificate of the cluster's region. TLS ends at the load balancer."""
    certificate_zone_id: HostedZoneId | None = None
    """The public Route 53 zone in which the stack proves the domain to ACM, for a certificate of its own. TLS ends at
    the load balancer.
    """
    tls_secret: ObjectName | None = None
    """The TLS Secret's name. TLS passes through the load balancer and ends in nginx, as with `pod`."""
    alias_zone_id: HostedZoneId | None = None
    """The Route 53 zone, private as a rule, in which the stack points the domain at the load balancer."""
    preserve_client_ip: bool = False
    """Whether nginx sees the clients' own addresses, and logs them. A node then cannot pull through a proxy pod that
    runs on itself: leave it off where the cluster's nodes are clients.
    """
    target_group_arn: TargetGroupArn | None = None
    """The target group, as the stack's output `TargetGroupArn` names it, for `manifests = "external"` alone: the
    objects you apply have to name it. Set it after the first deployment.
    """

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves; None with a certificate at the load balancer."""
        return self.tls_secret

    @model_validator(mode="after")
    def _tls_ends_in_one_place(self) -> Self:
        if [self.certificate_arn, self.certificate_zone_id, self.tls_secret].count(None) != 2:  # noqa: PLR2004 - of three
            raise ValueError(
                "set exactly one of certificate_arn (ACM has it), certificate_zone_id (the stack orders it) and "
                "tls_secret (nginx ends TLS)"
            )
        return self


class PodExposure(ExposureTable):
    """nginx itself ends TLS, on the Service's port 443."""

    kind: Literal["pod"]
    """`pod`."""
    tls_secret: ObjectName
    """The TLS Secret's name. It must be in the namespace before the first deployment, since pods wait for it. A renewed
    certificate is picked up without a restart.
    """

    @property
    def pod_tls_secret(self) -> str | None:
        """The TLS Secret that nginx serves."""
        return self.tls_secret


class ServiceExposure(ExposureTable):
    """A plain Service on port 80: TLS ends in front of it, in something this project does not manage."""

    kind: Literal["service"]
    """`service`."""


Exposure = Annotated[IngressExposure | NlbExposure | PodExposure | ServiceExposure, Field(discriminator="kind")]
