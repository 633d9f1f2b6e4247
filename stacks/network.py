"""The network of a Lambda that runs in the cluster's VPC: subnets, security group, and the rule into the cluster."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_fn.settings.cluster import Cluster
from stacks.nag import acknowledge, acknowledge_wildcard

HTTPS = 443

_CHANGE_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_READ_INTERFACES = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


class Network(Construct):
    """The Lambda's security group (out: 443 only; in: nothing) and the rule that opens the cluster's group to it.

    VPC and subnets are imported by their ids, without a lookup, so that `cdk synth` needs no AWS credentials.

    Attributes:
        vpc: The cluster's VPC.
        subnets: The Lambda's subnets.
        security_group: The Lambda's security group.
        into_cluster: The rule on the cluster's security group; the Kubernetes API is reachable once it exists.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: Cluster) -> None:
        super().__init__(scope, construct_id)
        # An imported VPC must name availability zones; nothing in this stack reads them.
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self, "Vpc", vpc_id=str(cluster.vpc_id), availability_zones=[f"{cluster.region}a"]
        )
        self.subnets = [ec2.Subnet.from_subnet_id(self, subnet_id, subnet_id) for subnet_id in cluster.subnet_ids]
        for subnet in self.subnets:
            acknowledge(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "The stack adds no routes.")
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            description="ecr-frontdoor: out to AWS APIs and the Kubernetes API, in from nowhere",
            allow_all_outbound=False,
        )
        for network in (ec2.Peer.any_ipv4(), ec2.Peer.any_ipv6()):
            self.security_group.add_egress_rule(network, ec2.Port.tcp(HTTPS), "To AWS APIs and the Kubernetes API")
        self.into_cluster = ec2.CfnSecurityGroupIngress(
            self,
            "IntoCluster",
            group_id=cluster.security_group_id,
            source_security_group_id=self.security_group.security_group_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="From the Lambda of ecr-frontdoor to the Kubernetes API",
        )

    @property
    def selection(self) -> ec2.SubnetSelection:
        """The subnets, in the form that constructs with a VPC take."""
        return ec2.SubnetSelection(subnets=self.subnets)


def vpc_statements(scope: Construct, subnet_ids: Iterable[str]) -> list[iam.PolicyStatement]:
    """What the Lambda service needs in a function's role to attach the function to a VPC; its code is denied it.

    The service makes these calls before any code runs; calls from code carry `lambda:SourceFunctionArn` and are denied.
    The cdk-nag findings on `*` resources are acknowledged for everything below `scope`.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    stack = cdk.Stack.of(scope)
    # DeleteNetworkInterface must "include all resource IDs" (see the source): hence */* of this account and region.
    all_here = stack.format_arn(service="ec2", resource="*", resource_name="*")
    acknowledge_wildcard(
        scope, all_here, "A network interface has no id before it exists; the function's code is denied these actions."
    )
    # A subnet that another account shares has that account in its ARN; the id names exactly one subnet.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html
    subnets = [
        stack.format_arn(service="ec2", account="*", resource="subnet", resource_name=subnet) for subnet in subnet_ids
    ]
    for subnet in subnets:
        acknowledge_wildcard(scope, subnet, "Another account may own and share the subnet.")
    return [
        iam.PolicyStatement(sid="AttachToVpc", actions=[*_CHANGE_INTERFACES], resources=[all_here, *subnets]),
        iam.PolicyStatement(sid="DescribeVpc", actions=[*_READ_INTERFACES], resources=["*"]),
        deny_vpc_actions_to_code(),
    ]


def deny_vpc_actions_to_code() -> iam.PolicyStatement:
    """Denies to a function's code the actions that the Lambda service needs, whichever policy allows them."""
    return iam.PolicyStatement(
        sid="DenyVpcActionsToCode",
        effect=iam.Effect.DENY,
        actions=[*_CHANGE_INTERFACES, *_READ_INTERFACES, "ec2:DetachNetworkInterface"],
        resources=["*"],
        conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
    )
