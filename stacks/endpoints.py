"""VPC endpoints: how a VPC without NAT reaches the APIs of AWS."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from lambda_fn.settings import Settings
from stacks.endpoint_policies import layers_only, own_principals
from stacks.network import HTTPS, Network


class VpcEndpoints(Construct):
    """The endpoints in `endpoints.create`: interfaces that the Lambda and the pods may use, and a gateway to S3."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, network: Network | None) -> None:
        super().__init__(scope, construct_id)
        wanted = settings.endpoints.create
        interfaces = [service for service in wanted if service != "s3"]
        if interfaces:
            group = _security_group(self, settings, network)
            for service in interfaces:
                self._interface(service, settings, group)
        if "s3" in wanted:
            ec2.CfnVPCEndpoint(
                self,
                "S3",
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{settings.cluster.region}.s3",
                vpc_id=str(settings.cluster.vpc_id),
                route_table_ids=[*settings.endpoints.route_table_ids],
                policy_document=layers_only(self, settings),
            )

    def _interface(self, service: str, settings: Settings, security_group_id: str) -> None:
        ec2.CfnVPCEndpoint(
            self,
            service.replace(".", "-"),
            vpc_endpoint_type="Interface",
            service_name=interface_name(service, settings.cluster.region),
            vpc_id=str(settings.cluster.vpc_id),
            subnet_ids=[*(settings.endpoints.subnet_ids or settings.cluster.subnet_ids)],
            security_group_ids=[security_group_id],
            private_dns_enabled=True,
            policy_document=own_principals(self, settings, service=service),
        )


def interface_name(service: str, region: str) -> str:
    """What PrivateLink calls a service; in China most begin with `cn`.

    https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html, and CDK's `InterfaceVpcEndpoint`.
    """
    prefix = "cn." if region.startswith("cn-") and service not in {"elasticloadbalancing", "logs"} else ""
    return f"{prefix}com.amazonaws.{region}.{service}"


def _security_group(scope: Construct, settings: Settings, network: Network | None) -> str:
    """In on 443: the pods, the Lambda where it stands in the VPC, and whom the settings name. Out: nothing."""
    pods = str(settings.cluster.security_group_id_of_pods)
    lambdas = [network.security_group.security_group_id] if network else []
    sources = [
        {"source_security_group_id": pods, "description": "Pods"},
        *({"source_security_group_id": group, "description": "Lambda"} for group in lambdas),
        *(
            {"cidr_ipv6" if ":" in cidr else "cidr_ip": cidr, "description": "Others in the network"}
            for cidr in settings.endpoints.client_cidrs
        ),
    ]
    group = ec2.CfnSecurityGroup(
        scope,
        "SecurityGroup",
        group_description="ecr-frontdoor: to the APIs of AWS",
        vpc_id=settings.cluster.vpc_id,
        security_group_ingress=[
            ec2.CfnSecurityGroup.IngressProperty(ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, **source)
            for source in sources
        ],
        # CloudFormation leaves a group without any such rule open to everything.
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="To nobody"
            )
        ],
    )
    return group.attr_group_id
