"""An AWS account before a deployment, as an operator may read it."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.aws import REGION, Answer

ACCOUNT = "123456789012"
VPC, GROUP = "vpc-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"
PRIVATE = ("subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907")
PUBLIC = "subnet-0b0b0b0b0b0b0b0b0"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
ISSUED = {"CertificateSummaryList": [{"CertificateArn": CERTIFICATE, "DomainName": "*.shrd.example.net"}]}


def cluster(name: str = "shared", *, network: Mapping[str, Any] | None = None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever EKS says
    access = {"endpointPublicAccess": True, "endpointPrivateAccess": True}
    usual = {"vpcId": VPC, "clusterSecurityGroupId": GROUP, **access}
    described = {
        "name": name,
        "version": "1.36",
        "status": "ACTIVE",
        "resourcesVpcConfig": usual | dict(network or {}),
        "accessConfig": {"authenticationMode": "API"},
        "kubernetesNetworkConfig": {"ipFamily": "ipv4"},
    }
    return {"cluster": described | changed}


def subnet(subnet_id: str, zone: str, cidr: str) -> dict[str, Any]:
    return {"SubnetId": subnet_id, "AvailabilityZone": f"{REGION}{zone}", "CidrBlock": cidr, "VpcId": VPC}


def table(table_id: str, route: Mapping[str, Any] | None, *subnets: str, main: bool = False) -> dict[str, Any]:
    to_anywhere = [{"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **route}] if route else []
    of_subnets = [{"SubnetId": each, "Main": False} for each in subnets]
    return {
        "RouteTableId": table_id,
        "Routes": [{"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"}, *to_anywhere],
        "Associations": [*of_subnets, *([{"Main": True}] if main else [])],
    }


def tables(route: Mapping[str, Any] | None) -> dict[str, Any]:
    """The private subnets have the main table, with this route."""
    return {
        "RouteTables": [
            table("rtb-0a1b2c3d4e5f60718", route, main=True),
            table("rtb-0b0b0b0b0b0b0b0b0", {"GatewayId": "igw-0a1b2c3d"}, PUBLIC),
        ]
    }


def endpoints(*services: str, with_private_names: bool = True) -> dict[str, Any]:
    listed = [
        {
            "VpcEndpointId": f"vpce-{each}",
            "ServiceName": f"com.amazonaws.{REGION}.{each}",
            "State": "available",
            "VpcEndpointType": "Gateway" if each == "s3" else "Interface",
            "PrivateDnsEnabled": with_private_names and each != "s3",
        }
        for each in services
    ]
    return {"VpcEndpoints": listed}


def zones(*named: tuple[str, bool]) -> dict[str, Any]:
    listed = [
        {
            "Id": f"/hostedzone/Z{number}{'PRIVATE' if private else 'PUBLIC'}",
            "Name": f"{name}.",
            "CallerReference": str(number),
            "Config": {"PrivateZone": private},
        }
        for number, (name, private) in enumerate(named)
    ]
    return {"HostedZones": listed, "IsTruncated": False, "MaxItems": "100"} | {"Marker": ""}


def issued(key_type: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A certificate with such a key, which ACM lists where it is asked for, and without a filter if it is short RSA."""

    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        listed = asked.get("Includes", {}).get("keyTypes", ("RSA_1024", "RSA_2048"))
        return ISSUED if key_type in listed else {"CertificateSummaryList": []}

    return answer


def repositories(*names: str) -> dict[str, Any]:
    return {"repositories": [{"repositoryName": name} for name in names]}


def answers() -> dict[str, Answer]:
    """One cluster, in a VPC with NAT, and the repositories of two teams."""
    return {
        "GetCallerIdentity": {"Arn": f"arn:aws:iam::{ACCOUNT}:user/operator", "Account": ACCOUNT},
        "ListClusters": {"clusters": ["shared"]},
        "DescribeCluster": lambda asked: cluster(asked["name"]),
        "DescribeSubnets": {
            "Subnets": [
                subnet(PRIVATE[1], "b", "10.1.1.0/24"),
                subnet(PUBLIC, "a", "10.1.9.0/24"),
                subnet(PRIVATE[0], "a", "10.1.0.0/24"),
            ]
        },
        "DescribeRouteTables": tables({"NatGatewayId": "nat-0a1b2c3d"}),
        "DescribeVpcEndpoints": endpoints(),
        "DescribeRepositories": repositories("team/app", "team/web", "base", f"cdk-hnb659fds-{ACCOUNT}"),
        "ListHostedZones": zones(),
        "ListCertificates": {"CertificateSummaryList": []},
    }
