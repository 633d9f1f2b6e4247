"""Whether the VPC endpoints of the settings are available, with private DNS."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.account.network import service_of
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning


def run(context: CheckContext) -> Iterator[Finding]:
    """Every endpoint in `[endpoints]`, whether the stack or another party created it; nothing where there is none."""
    cluster, endpoints = context.settings.cluster, context.settings.endpoints
    services = [*endpoints.create, *endpoints.existing]
    if not services or not cluster.vpc_id:
        return
    pages = context.client("ec2").get_paginator("describe_vpc_endpoints")
    in_vpc = pages.paginate(Filters=[{"Name": "vpc-id", "Values": [cluster.vpc_id]}])
    listed = [endpoint for page in in_vpc for endpoint in page["VpcEndpoints"]]
    problems = []
    for service in services:
        found = [one for one in listed if service_of(one["ServiceName"], cluster.region) == service]
        problem = _problem(f"endpoint {service} in {cluster.vpc_id}", found, created=service in endpoints.create)
        problems += [problem] if problem else []
    yield from problems
    if not problems:
        yield ok(f"the endpoints in {cluster.vpc_id} are available: {', '.join(services)}")


def _problem(title: str, found: Sequence[Mapping[str, Any]], *, created: bool) -> Finding | None:
    states = sorted({str(endpoint["State"]).lower() for endpoint in found})
    if "available" not in states:
        message = f"{title} is {' and '.join(states) or 'missing'}"
        if created:
            return failed(message, "deploy (docs/exposure.md says what needs the endpoint)")
        # An endpoint of another account, in a shared VPC, is not listed.
        hint = "create it, or move it from endpoints.existing to create; if another account owns it, ignore this"
        return warning(message, hint)
    if not any(one["VpcEndpointType"] == "Gateway" or one.get("PrivateDnsEnabled") for one in found):
        return warning(
            f"{title} has no private DNS: requests to the service bypass it",
            "enable private DNS names on the endpoint, and DNS support and DNS host names in the VPC",
        )
    return None


CHECK = Check("endpoints", Category.AWS, run, needs=("stack",), runbook="docs/exposure.md#a-cluster-without-nat")
