"""What an account has before the app comes to it: the cluster's VPC with subnets and a group, and a Route 53 zone."""

from collections.abc import Mapping
from typing import Any

from testbed.sandbox.deployment import references
from testbed.sandbox.installation import session
from testbed.sandbox.world import World


def cluster_keys(world: World) -> Mapping[str, object]:
    """Keys of `[cluster]` for its network."""
    network = session(world, "default").client("eks").describe_cluster(name=world.cluster)["cluster"]
    described: Mapping[str, Any] = network["resourcesVpcConfig"]
    return {
        "vpc_id": described["vpcId"],
        "subnet_ids": described["subnetIds"],
        "security_group_id": described["clusterSecurityGroupId"],
    }


def is_protected(world: World, balancer_arn: str) -> bool:
    """Whether AWS refuses to delete a load balancer."""
    balancing = session(world, "default").client("elbv2")
    attributes = balancing.describe_load_balancer_attributes(LoadBalancerArn=balancer_arn)["Attributes"]
    return {"Key": "deletion_protection.enabled", "Value": "true"} in attributes


def load_balancer(world: World) -> references.Reference:
    """The configuration with a load balancer, for this VPC and a new zone of the domain."""
    of_vpc = [{"Name": "vpc-id", "Values": [cluster_keys(world)["vpc_id"]]}]
    aws = session(world, "default")
    zone = aws.client("route53").create_hosted_zone(Name=world.domain, CallerReference="story")["HostedZone"]
    (table,) = aws.client("ec2").describe_route_tables(Filters=of_vpc)["RouteTables"]
    listed = aws.client("ec2").describe_subnets(Filters=of_vpc)["Subnets"]
    subnets = {one["SubnetId"]: one["CidrBlock"] for one in listed}
    return references.load_balancer(world, zone["Id"].rpartition("/")[2], subnets, table["RouteTableId"])
