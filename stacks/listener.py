"""The listeners of the load balancer: the one for clients, with its certificate, and one for each target group."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from lambda_fn.settings.exposure import NlbExposure
from stacks.network import HTTPS

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.2 and 1.3 with forward secrecy and AEAD alone, and hybrid post-quantum key exchange: AWS's recommendation.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html
"""


def listener(
    scope: Construct,
    domain: str,
    exposure: NlbExposure,
    balancer: elbv2.CfnLoadBalancer,
    targets: elbv2.CfnTargetGroup,
) -> elbv2.CfnListener:
    """Port 443: terminates TLS if there is a certificate, otherwise passes TCP through to nginx."""
    certificate = exposure.certificate_arn
    if exposure.certificate_zone_id:
        certificate = _certificate(scope, domain, exposure.certificate_zone_id).ref
    return elbv2.CfnListener(
        scope,
        "Https",
        load_balancer_arn=balancer.ref,
        port=HTTPS,
        protocol="TLS" if certificate else "TCP",
        ssl_policy=TLS_POLICY if certificate else None,
        certificates=[elbv2.CfnListener.CertificateProperty(certificate_arn=certificate)] if certificate else None,
        default_actions=[elbv2.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
    )


def standby_listener(
    scope: Construct, construct_id: str, *, port: int, balancer: elbv2.CfnLoadBalancer, targets: elbv2.CfnTargetGroup
) -> elbv2.CfnListener:
    """Keeps a target group in use, on a port that the load balancer's security group opens to no client.

    The load balancer checks the health of the targets of a group only while a listener leads to it, and a new pod
    waits for each of its groups. So both groups have healthy pods before port 443 moves from one to the other.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    """
    return elbv2.CfnListener(
        scope,
        construct_id,
        load_balancer_arn=balancer.ref,
        port=port,
        protocol="TCP",
        default_actions=[elbv2.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
    )


def _certificate(scope: Construct, domain: str, zone_id: str) -> acm.CfnCertificate:
    """A certificate for the domain; the deployment waits until ACM has validated it by a record in the zone."""
    return acm.CfnCertificate(
        scope,
        "Certificate",
        domain_name=domain,
        validation_method="DNS",
        domain_validation_options=[
            acm.CfnCertificate.DomainValidationOptionProperty(domain_name=domain, hosted_zone_id=zone_id)
        ],
    )
