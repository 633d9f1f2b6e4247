"""What an account has before the app comes to it: a VPC with subnets and a security group, and a Route 53 zone."""

from collections.abc import Mapping

from testbed.sandbox.deployment import references
from testbed.sandbox.installation import session
from testbed.sandbox.world import World


def cluster_keys(world: World) -> Mapping[str, object]:
    """Keys of `[cluster]` for its network: there is a default VPC."""
    ec2 = session(world, "default").client("ec2")
    (vpc,) = (one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"])
    (group,) = (
        one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] == "default"
    )
    return {"vpc_id": vpc, "subnet_ids": sorted(_subnets(world))[:2], "security_group_id": group}


def load_balancer(world: World) -> references.Reference:
    """The configuration with a load balancer, for this VPC and a new zone of the domain."""
    zone = session(world, "default").client("route53").create_hosted_zone(Name=world.domain, CallerReference="story")
    tables = session(world, "default").client("ec2").describe_route_tables()["RouteTables"]
    subnets = dict(sorted(_subnets(world).items())[:2])
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    return references.load_balancer(world, zone_id, subnets, tables[0]["RouteTableId"])


def _subnets(world: World) -> Mapping[str, str]:
    listed = session(world, "default").client("ec2").describe_subnets()["Subnets"]
    return {one["SubnetId"]: one["CidrBlock"] for one in listed}
