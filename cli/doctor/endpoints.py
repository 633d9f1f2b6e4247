"""The VPC endpoints of the settings, made by the stack or there before it."""

from collections.abc import Iterator

from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.site import Site
from cli.doctor.stack import Resources

_CHECK = "endpoints"


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether each leads to its service, for everything in the VPC; nothing where the settings name none."""
    del found  # What the VPC has counts, whoever made it.
    cluster, endpoints = site.settings.cluster, site.settings.endpoints
    wanted = [*endpoints.create, *endpoints.existing]
    if not wanted or not cluster.vpc_id:
        return
    client = site.aws.client("ec2", config=site.briefly)
    pages = client.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[{"Name": "vpc-id", "Values": [cluster.vpc_id]}]
    )
    listed = [one for page in pages for one in page["VpcEndpoints"]]
    troubles = []
    for service in wanted:
        # In China their names begin with cn.com.amazonaws.
        of = [one for one in listed if one["ServiceName"].endswith(f".amazonaws.{cluster.region}.{service}")]
        states = sorted({str(one["State"]).lower() for one in of})
        if "available" not in states:
            said = f"{service} in {cluster.vpc_id} is {' and '.join(states) or 'missing'}"
            if service in endpoints.create:
                troubles.append(failure(_CHECK, said, "deploy; docs/exposure.md says what needs it"))
            else:
                # One of another account, for a shared VPC, is not shown.
                way_out = (
                    "make it, or move it from endpoints.existing to create; ignore this if another account owns it"
                )
                troubles.append(warning(_CHECK, said, way_out))
        elif not any(one["VpcEndpointType"] == "Gateway" or one.get("PrivateDnsEnabled") for one in of):
            said = f"{service} in {cluster.vpc_id} has no private DNS: its name leads past it"
            troubles.append(
                warning(_CHECK, said, "switch private DNS names on, and the VPC's DNS host names and support")
            )
    yield from troubles
    if not troubles:
        yield fine(_CHECK, f"{', '.join(wanted)} are available in {cluster.vpc_id}")
