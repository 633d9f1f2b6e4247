"""A VPC's subnets with their default routes, and its endpoints."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

DefaultRoute = Literal["internet", "nat", "none"]
_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet of a VPC.

    Attributes:
        id: Its id.
        zone: Its availability zone.
        cidr: Its IPv4 range.
        route_table_id: The table with its routes; empty where none was listed.
        free_addresses: How many of its addresses are not in use.
        default_route: What its default route leads to. `internet`: an internet gateway, which a Lambda cannot use,
            since its interfaces have no public address. `nat`: NAT, a transit gateway or an appliance. `none`: there is
            no such route.
    """

    id: str
    zone: str
    cidr: str
    route_table_id: str
    free_addresses: int = 0
    default_route: DefaultRoute


def subnets_of(ec2: Any, vpc_id: str) -> tuple[Subnet, ...]:  # noqa: ANN401 - boto3's clients are made at run time
    """The subnets of a VPC, by zone and id.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html : a subnet without a table of its own has
    the VPC's main one.

    Raises:
        ClientError: EC2 refuses.
        BotoCoreError: EC2 cannot be reached.
    """
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    tables = [
        table
        for page in ec2.get_paginator("describe_route_tables").paginate(Filters=of_vpc)
        for table in page["RouteTables"]
    ]
    listed = [
        subnet for page in ec2.get_paginator("describe_subnets").paginate(Filters=of_vpc) for subnet in page["Subnets"]
    ]
    return tuple(sorted((_subnet(one, tables) for one in listed), key=lambda subnet: (subnet.zone, subnet.id)))


def endpoints_of(
    ec2: Any,  # noqa: ANN401 - as above
    vpc_id: str,
    region: str,
    *,
    without: Iterable[str] = (),
    with_private_names: bool = False,
) -> frozenset[str]:
    """The services of the VPC's available endpoints, as `[endpoints]` names them: `ecr.api`, `s3`.

    Args:
        ec2: A client.
        vpc_id: The VPC.
        region: Its region.
        without: Ids of endpoints that do not count.
        with_private_names: Whether only those count that answer at the service's own name in the VPC.

    Raises:
        ClientError: EC2 refuses.
        BotoCoreError: EC2 cannot be reached.
    """
    excluded = frozenset(without)
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    available = (
        endpoint["ServiceName"]
        for page in pages
        for endpoint in page["VpcEndpoints"]
        if str(endpoint["State"]).lower() == "available"
        and endpoint["VpcEndpointId"] not in excluded
        and (endpoint.get("PrivateDnsEnabled") or not with_private_names)
    )
    return frozenset(filter(None, (service_of(name, region) for name in available)))


def service_of(endpoint_service: str, region: str) -> str:
    """`ecr.api` of `com.amazonaws.REGION.ecr.api`; an empty text for an endpoint of another region, or without one.

    What stands before the region is not the same in every partition: `cn.com.amazonaws`, `eu.amazonaws`, `gov.ic.c2s`.
    """
    return endpoint_service.partition(f".{region}.")[2]


def one_in_each_zone(subnets: Iterable[Subnet]) -> tuple[Subnet, ...]:
    """The first subnet of each zone."""
    return tuple({subnet.zone: subnet for subnet in reversed(list(subnets))}.values())[::-1]


def _subnet(described: Mapping[str, Any], tables: list[Mapping[str, Any]]) -> Subnet:
    table = _table_of(described["SubnetId"], tables)
    return Subnet(
        id=described["SubnetId"],
        zone=described["AvailabilityZone"],
        cidr=described.get("CidrBlock", ""),
        route_table_id=table.get("RouteTableId", ""),
        free_addresses=described.get("AvailableIpAddressCount", 0),
        default_route=_default_route(table),
    )


def _table_of(subnet_id: str, tables: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    main: Mapping[str, Any] = {}
    for table in tables:
        associations = table.get("Associations", [])
        if any(one.get("SubnetId") == subnet_id for one in associations):
            return table
        if any(one.get("Main") for one in associations):
            main = table
    return main


def _default_route(table: Mapping[str, Any]) -> DefaultRoute:
    for route in table.get("Routes", []):
        if route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State", "active") == "active":
            return "internet" if str(route.get("GatewayId", "")).startswith("igw-") else "nat"
    return "none"
