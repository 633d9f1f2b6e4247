"""The content of a new AWS: the EKS cluster in a VPC with NAT, and an operator who can assume roles."""

from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from testbed.sandbox.cloud.endpoints import MOTO_URL
from testbed.sandbox.cloud.keyring import AccessKey
from testbed.sandbox.tools import KUBERNETES_VERSION
from testbed.sandbox.world import World

_OPERATOR = "operator"
_CLUSTER_ROLE = "cluster"
_REFRESHER_PROFILE = "refresher"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made: the operator's access key, and of the cluster's network what moto's EKS does not say."""

    operator: AccessKey
    network: Mapping[str, Any]


def seed(world: World) -> Seeded:
    """Make it all in moto."""
    described = network(client("ec2", world.region), world.region)
    client("eks", world.region).create_cluster(
        name=world.cluster,
        version=KUBERNETES_VERSION.removeprefix("v").rpartition(".")[0],
        roleArn=f"arn:aws:iam::{world.account}:role/{_CLUSTER_ROLE}",
        resourcesVpcConfig={"subnetIds": described["subnetIds"]},
        accessConfig={"authenticationMode": "API"},
    )
    iam = client("iam", world.region)
    operator = iam.create_user(UserName=_OPERATOR)["User"]
    key = iam.create_access_key(UserName=_OPERATOR)["AccessKey"]
    return Seeded(AccessKey(key["AccessKeyId"], key["SecretAccessKey"], operator["Arn"]), described)


def network(ec2: Any, region: str) -> Mapping[str, Any]:  # noqa: ANN401  boto3 makes clients at run time
    """Make a VPC with NAT and a private subnet in each of two zones; returns what EKS says of a cluster in it."""
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    (table,) = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    (group,) = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    return {
        "vpcId": vpc,
        "subnetIds": subnets,
        "clusterSecurityGroupId": group["GroupId"],
        "endpointPublicAccess": True,
    }


def write_credentials(path: Path, operator: AccessKey, world: World) -> None:
    """A shared credentials file: profile `default` is the operator, `refresher` assumes the Lambda's role."""
    path.touch(mode=0o600)
    profiles = ConfigParser()
    key = {"aws_access_key_id": operator.id, "aws_secret_access_key": operator.secret}
    profiles["default"] = key | {"region": world.region}
    role = {"role_arn": world.refresher_role_arn, "source_profile": "default"}
    profiles[_REFRESHER_PROFILE] = role | {"region": world.region}
    with path.open("w") as file:
        profiles.write(file)


def client(service: str, region: str, url: str = MOTO_URL) -> Any:  # noqa: ANN401  boto3 makes clients at run time
    """A client of moto, or of MiniStack, alone: no profile, proxy or endpoint of the caller's environment has a say."""
    alone = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=alone).client(
        service,  # type: ignore[call-overload]  # one function for two services
        region_name=region,
        endpoint_url=url,
        config=Config(proxies={}),
        aws_access_key_id="AKIASEED",
        aws_secret_access_key="unchecked",  # noqa: S106  they check none
    )
