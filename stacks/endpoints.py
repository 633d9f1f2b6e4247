"""VPC endpoints: how a VPC without NAT reaches AWS APIs."""

from collections.abc import Iterable

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.endpoints import Endpoints
from stacks.endpoint_policies import allowed_principals, layers_only
from stacks.network import HTTPS


class VpcEndpoints(Construct):
    """The endpoints in `endpoints.create`: interfaces for the Lambda and the pods, and a gateway to S3."""

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: Cluster,
        endpoints: Endpoints,
        lambda_security_group_id: str | None,
        answers_cloudformation: bool,
        imports: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        interfaces = [service for service in endpoints.create if service != "s3"]
        if interfaces:
            group = _security_group(self, cluster, endpoints.client_cidrs, lambda_security_group_id)
            for service in interfaces:
                _interface(self, service, cluster, endpoints, group, imports=imports)
        if "s3" in endpoints.create:
            ec2.CfnVPCEndpoint(
                self,
                "S3",
                vpc_endpoint_type="Gateway",
                # The same in every partition. Another way to write it is a replacement to `cdk diff`.
                service_name=f"com.amazonaws.{cluster.region}.s3",
                vpc_id=str(cluster.vpc_id),
                route_table_ids=[*endpoints.route_table_ids],
                policy_document=layers_only(self, cluster.region, answers_cloudformation=answers_cloudformation),
            )


def _interface(
    scope: Construct, service: str, cluster: Cluster, endpoints: Endpoints, security_group_id: str, *, imports: bool
) -> None:
    ec2.CfnVPCEndpoint(
        scope,
        service.replace(".", "-"),
        vpc_endpoint_type="Interface",
        # CDK knows which names do not begin with `com.amazonaws` outside of the commercial partition.
        service_name=ec2.InterfaceVpcEndpointAwsService(service).name,
        vpc_id=str(cluster.vpc_id),
        subnet_ids=[*(endpoints.subnet_ids or cluster.subnet_ids)],
        security_group_ids=[security_group_id],
        private_dns_enabled=True,
        policy_document=allowed_principals(
            scope,
            service,
            cluster_name=cluster.name,
            all_actions=endpoints.all_actions,
            imports=imports,
            shared_accounts=endpoints.accounts,
        ),
    )


def _security_group(
    scope: Construct, cluster: Cluster, client_cidrs: Iterable[str], lambda_group_id: str | None
) -> str:
    """In on 443: the pods, the Lambda if it runs in the VPC, and `client_cidrs`. Out: nothing."""
    sources = [
        {"source_security_group_id": str(cluster.security_group_id_of_pods), "description": "From the pods"},
        *([{"source_security_group_id": lambda_group_id, "description": "From the Lambda"}] if lambda_group_id else []),
        *(
            {"cidr_ipv6" if ":" in cidr else "cidr_ip": cidr, "description": "From endpoints.client_cidrs"}
            for cidr in client_cidrs
        ),
    ]
    group = ec2.CfnSecurityGroup(
        scope,
        "SecurityGroup",
        group_description="ecr-frontdoor: to the APIs of AWS",
        vpc_id=cluster.vpc_id,
        security_group_ingress=[
            ec2.CfnSecurityGroup.IngressProperty(ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, **source)
            for source in sources
        ],
        # A group without any egress rule gets one from CloudFormation that allows everything: this one matches nothing.
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="icmp",
                from_port=252,
                to_port=86,
                cidr_ip="255.255.255.255/32",
                description="Allows nothing",
            )
        ],
    )
    return group.attr_group_id
