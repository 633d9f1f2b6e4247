"""The internal Network Load Balancer in front of the pods, with its DNS name and security group.

`docs/decisions/0010-the-stack-owns-the-load-balancer.md` gives the reasons why the stack owns it and not the cluster.
"""

from collections.abc import Iterable, Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from constructs import Construct

from k8s_manifests.exposures import TargetGroups
from lambda_fn.contract.paths import HTTP_PORT, PROXY_PROTOCOL_PORT
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.exposure import NlbExposure
from stacks.listener import listener, standby_listener
from stacks.nag import acknowledge
from stacks.network import HTTPS
from stacks.target_group import target_group


class LoadBalancer(Construct):
    """The load balancer. The TargetGroupBindings in the charts register and deregister the pods.

    L1, because the L2 looks up subnets and expects targets that CloudFormation knows.

    Attributes:
        arn: Of the load balancer.
        protected: Whether its deletion outside of the stack is refused.
        target_groups: For the TargetGroupBindings.
        before_pods: What new pods wait for: the load balancer with its target groups and its rules.
        listener: For clients. It moves to another target group once pods are in that one.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain: str,
        cluster: Cluster,
        exposure: NlbExposure,
        manifests: str,
        client_cidrs: Iterable[str],
        pod_port: int,
        drain_seconds: int,
        target_group_tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        ports = {"Pods": pod_port, "ProxyProtocol": PROXY_PROTOCOL_PORT}
        group = _security_group(self, cluster, client_cidrs, ports)
        balancer = _balancer(self, exposure, group)
        plain, proxy_protocol = (
            target_group(
                self,
                name,
                vpc_id=str(cluster.vpc_id),
                exposure=exposure,
                drain_seconds=drain_seconds,
                proxy_protocol=name == "ProxyProtocol",
                tags=target_group_tags,
            )
            for name in ports
        )
        standby_listener(self, "PodsStandby", port=HTTP_PORT, balancer=balancer, targets=plain)
        standby_listener(
            self, "ProxyProtocolStandby", port=PROXY_PROTOCOL_PORT, balancer=balancer, targets=proxy_protocol
        )
        self.before_pods = tuple(self.node.children)
        targets = proxy_protocol if exposure.sends_proxy_protocol(manifests=manifests) else plain
        self.listener = listener(self, domain, exposure, balancer, targets)
        if exposure.alias_zone_id:
            _alias(self, domain, exposure.alias_zone_id, balancer)
        self.arn, self.protected = balancer.ref, exposure.deletion_protection
        self.target_groups = TargetGroups(plain.ref, proxy_protocol.ref)
        _outputs(cdk.Stack.of(self), self.target_groups, balancer.attr_dns_name)


def _balancer(scope: Construct, exposure: NlbExposure, security_group: str) -> elbv2.CfnLoadBalancer:
    balancer = elbv2.CfnLoadBalancer(
        scope,
        "Nlb",
        type="network",
        scheme="internal",
        ip_address_type="ipv4",
        subnets=[*exposure.subnets],
        security_groups=[security_group],
        load_balancer_attributes=[
            elbv2.CfnLoadBalancer.LoadBalancerAttributeProperty(key=key, value=value)
            for key, value in _between_zones(affinity=exposure.zone_affinity).items()
        ],
    )
    acknowledge(
        balancer, "AwsSolutions-ELB2", "nginx logs every request; the load balancer would log only TLS handshakes."
    )
    return balancer


def _between_zones(*, affinity: bool) -> dict[str, str]:
    """The attributes that lead a client to a zone, and a connection to the pods of a zone.

    Both are needed to keep traffic in a zone: by one the resolver of the VPC answers with the address of the client's
    zone, and by the other this address leads only to pods of its zone.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#zonal-dns-affinity
    """
    if affinity:
        return {
            "dns_record.client_routing_policy": "availability_zone_affinity",
            "load_balancing.cross_zone.enabled": "false",
        }
    # Clients keep the address of a zone from DNS, also after its last pod moved to another zone.
    return {"load_balancing.cross_zone.enabled": "true"}


def _security_group(scope: Construct, cluster: Cluster, client_cidrs: Iterable[str], ports: Mapping[str, int]) -> str:
    """In: the clients' networks, on 443. Out: the pods, on their ports; with the rules on the group of the pods."""
    pods = str(cluster.security_group_id_of_pods)
    group = ec2.CfnSecurityGroup(
        scope,
        "SecurityGroup",
        group_description="ecr-frontdoor: in from clients, out to the pods",
        vpc_id=cluster.vpc_id,
        security_group_ingress=[_from(cidr) for cidr in client_cidrs],
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                destination_security_group_id=pods,
                description="To the pods",
            )
            for port in ports.values()
        ],
    )
    for name, port in ports.items():
        ec2.CfnSecurityGroupIngress(
            scope,
            f"Into{name}",
            group_id=pods,
            source_security_group_id=group.attr_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="From the load balancer of ecr-frontdoor to the pods",
        )
    return group.attr_group_id


def _from(cidr: str) -> ec2.CfnSecurityGroup.IngressProperty:
    version = {"cidr_ipv6": cidr} if ":" in cidr else {"cidr_ip": cidr}
    return ec2.CfnSecurityGroup.IngressProperty(
        ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, description="From proxy.client_cidrs", **version
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


def _outputs(stack: cdk.Stack, target_groups: TargetGroups, dns_name: str) -> None:
    groups = {"TargetGroupArn": target_groups.plain, "ProxyProtocolTargetGroupArn": target_groups.proxy_protocol}
    for output, arn in groups.items():
        cdk.CfnOutput(stack, output, value=str(arn), description="Target group of the proxy pods")
    cdk.CfnOutput(stack, "LoadBalancerName", value=dns_name, description="DNS name of the load balancer")
