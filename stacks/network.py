"""Where the Lambda stands when it runs inside the cluster's VPC, and its one way into the cluster."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_fn.settings import Cluster
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
    """The Lambda's security group (out: 443 only; in: nothing) and the rule that lets it into the cluster's.

    VPC and subnets are taken by their ids, without a lookup, so that `cdk synth` needs no AWS credentials.

    Attributes:
        vpc: The cluster's VPC.
        subnets: The Lambda's subnets.
        security_group: The Lambda's security group.
        into_cluster: The rule on the cluster's security group; wait for it before speaking to the Kubernetes API.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: Cluster) -> None:
        super().__init__(scope, construct_id)
        # An imported VPC must name availability zones; nothing in this stack reads them.
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self, "Vpc", vpc_id=str(cluster.vpc_id), availability_zones=[f"{cluster.region}a"]
        )
        self.subnets = [ec2.Subnet.from_subnet_id(self, subnet_id, subnet_id) for subnet_id in cluster.subnet_ids]
        for subnet in self.subnets:
            acknowledge(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "Nothing here adds a route.")
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            description="ecr-frontdoor: out to AWS APIs and the Kubernetes API, in from nowhere",
            allow_all_outbound=False,
        )
        for anyone in (ec2.Peer.any_ipv4(), ec2.Peer.any_ipv6()):
            self.security_group.add_egress_rule(anyone, ec2.Port.tcp(HTTPS), "AWS APIs and the Kubernetes API")
        self.into_cluster = ec2.CfnSecurityGroupIngress(
            self,
            "IntoCluster",
            group_id=cluster.security_group_id,
            source_security_group_id=self.security_group.security_group_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="ecr-frontdoor to the Kubernetes API",
        )

    @property
    def selection(self) -> ec2.SubnetSelection:
        """The subnets, as constructs that take a VPC want them."""
        return ec2.SubnetSelection(subnets=self.subnets)


def interface_statements(scope: Construct, cluster: Cluster) -> list[iam.PolicyStatement]:
    """What the Lambda service needs of a function's role to attach it to a VPC, kept away from the function's code.

    The service makes these calls before any code runs; calls from code carry `lambda:SourceFunctionArn` and are denied.
    The findings on `*` resources are acknowledged for everything below `scope`.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    stack = cdk.Stack.of(scope)
    # DeleteNetworkInterface has to "include all resource IDs", says the source: hence */* of this account and region.
    all_here = stack.format_arn(service="ec2", resource="*", resource_name="*")
    acknowledge_wildcard(scope, all_here, "Lambda's own interfaces have no ids before they exist; code is denied this.")
    # A subnet that another account shares with this one has that account in its ARN; a subnet's id is nobody else's.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html
    subnets = [
        stack.format_arn(service="ec2", account="*", resource="subnet", resource_name=subnet)
        for subnet in cluster.subnet_ids
    ]
    for subnet in subnets:
        acknowledge_wildcard(scope, subnet, "The account that owns the subnet may be another one.")
    return [
        iam.PolicyStatement(sid="AttachToVpc", actions=[*_CHANGE_INTERFACES], resources=[all_here, *subnets]),
        iam.PolicyStatement(sid="SeeVpc", actions=[*_READ_INTERFACES], resources=["*"]),
        not_from_code(),
    ]


def not_from_code() -> iam.PolicyStatement:
    """Keeps from a function's code whatever Lambda's service needs to attach it, whichever policy allows that."""
    return iam.PolicyStatement(
        sid="NotFromCode",
        effect=iam.Effect.DENY,
        actions=[*_CHANGE_INTERFACES, *_READ_INTERFACES, "ec2:DetachNetworkInterface"],
        resources=["*"],
        conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
    )
