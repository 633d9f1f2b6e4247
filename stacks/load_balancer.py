"""The internal Network Load Balancer in front of the pods, with its name, its certificate and who may reach it.

`docs/decisions/0010-the-stack-owns-the-load-balancer.md` says why it is not the cluster's.
"""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from constructs import Construct

from k8s_manifests.exposures import exposure_of
from lambda_fn.settings import NlbExposure, Settings
from stacks.nag import acknowledge
from stacks.network import HTTPS
from stacks.target_group import target_group

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3, as nginx does it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html
"""


class LoadBalancer(Construct):
    """The load balancer. Pods come and go behind it by the TargetGroupBinding, which belongs to the charts.

    L1, since the L2 would look up subnets, and half of it is about targets that CloudFormation knows.

    Attributes:
        target_group_arn: What the TargetGroupBinding has to name.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, exposure: NlbExposure) -> None:
        super().__init__(scope, construct_id)
        group = _security_group(self, settings)
        balancer = elbv2.CfnLoadBalancer(
            self,
            "Nlb",
            type="network",
            scheme="internal",
            ip_address_type="ipv4",
            subnets=[*exposure.subnets],
            security_groups=[group],
            # A zone whose last pod moves elsewhere keeps its address: clients hold on to what DNS told them.
            load_balancer_attributes=[
                elbv2.CfnLoadBalancer.LoadBalancerAttributeProperty(
                    key="load_balancing.cross_zone.enabled", value="true"
                )
            ],
        )
        acknowledge(balancer, "AwsSolutions-ELB2", "nginx logs every request; the NLB would log only TLS handshakes.")
        targets = target_group(self, "Pods", settings=settings, exposure=exposure)
        _listener(self, settings, exposure, balancer, targets)
        if exposure.alias_zone_id:
            _alias(self, settings.domain, exposure.alias_zone_id, balancer)
        self.target_group_arn = targets.ref
        cdk.CfnOutput(cdk.Stack.of(self), "TargetGroupArn", value=targets.ref, description="For TargetGroupBindings")
        cdk.CfnOutput(cdk.Stack.of(self), "LoadBalancerName", value=balancer.attr_dns_name, description="The way in")


def load_balancer(scope: Construct, construct_id: str, *, settings: Settings) -> LoadBalancer | None:
    """The load balancer, where the settings ask for one."""
    exposure = settings.proxy.exposure
    if not isinstance(exposure, NlbExposure):
        return None
    return LoadBalancer(scope, construct_id, settings=settings, exposure=exposure)


def _security_group(scope: Construct, settings: Settings) -> str:
    """In: the clients' networks, on 443. Out: the pods, on the port that serves; and the rule that lets it in there."""
    cluster, port = settings.cluster, exposure_of(settings).listening_port
    pods = str(cluster.security_group_id_of_pods)
    group = ec2.CfnSecurityGroup(
        scope,
        "SecurityGroup",
        group_description="ecr-frontdoor: in from clients, out to the pods",
        vpc_id=cluster.vpc_id,
        security_group_ingress=[_from(cidr) for cidr in settings.proxy.client_cidrs],
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp", from_port=port, to_port=port, destination_security_group_id=pods, description="Pods"
            )
        ],
    )
    ec2.CfnSecurityGroupIngress(
        scope,
        "IntoPods",
        group_id=pods,
        source_security_group_id=group.attr_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description="ecr-frontdoor: load balancer to pods",
    )
    return group.attr_group_id


def _from(cidr: str) -> ec2.CfnSecurityGroup.IngressProperty:
    version = {"cidr_ipv6": cidr} if ":" in cidr else {"cidr_ip": cidr}
    return ec2.CfnSecurityGroup.IngressProperty(
        ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, description="Clients", **version
    )


def _listener(
    scope: Construct,
    settings: Settings,
    exposure: NlbExposure,
    balancer: elbv2.CfnLoadBalancer,
    targets: elbv2.CfnTargetGroup,
) -> None:
    """Port 443, with a certificate or straight through."""
    certificate = exposure.certificate_arn
    if exposure.certificate_zone_id:
        certificate = _certificate(scope, settings.domain, exposure.certificate_zone_id).ref
    elbv2.CfnListener(
        scope,
        "Https",
        load_balancer_arn=balancer.ref,
        port=HTTPS,
        protocol="TLS" if certificate else "TCP",
        ssl_policy=TLS_POLICY if certificate else None,
        certificates=[elbv2.CfnListener.CertificateProperty(certificate_arn=certificate)] if certificate else None,
        default_actions=[elbv2.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
    )


def _certificate(scope: Construct, domain: str, zone_id: str) -> acm.CfnCertificate:
    """A certificate for the domain; the deployment waits until ACM has seen the record it writes into the zone."""
    return acm.CfnCertificate(
        scope,
        "Certificate",
        domain_name=domain,
        validation_method="DNS",
        domain_validation_options=[
            acm.CfnCertificate.DomainValidationOptionProperty(domain_name=domain, hosted_zone_id=zone_id)
        ],
    )


def _alias(scope: Construct, domain: str, zone_id: str, balancer: elbv2.CfnLoadBalancer) -> None:
    route53.CfnRecordSet(
        scope,
        "Alias",
        hosted_zone_id=zone_id,
        name=f"{domain}.",
        type="A",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(
            dns_name=balancer.attr_dns_name, hosted_zone_id=balancer.attr_canonical_hosted_zone_id
        ),
    )
