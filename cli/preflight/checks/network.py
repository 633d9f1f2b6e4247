"""Whether the subnets of the settings exist, and lead where the Lambda and the load balancer need it."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from cli.account.network import Subnet, endpoints_of, subnets_of
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.exposure import NlbExposure

_BALANCER_ADDRESSES = 8
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html"""


def run(context: CheckContext) -> Iterator[Finding]:
    """The Lambda's subnets, the endpoints, and the load balancer's subnets; nothing without a VPC."""
    cluster, endpoints = context.settings.cluster, context.settings.endpoints
    if not cluster.vpc_id:
        return
    ec2 = context.client("ec2")
    by_id = {subnet.id: subnet for subnet in subnets_of(ec2, cluster.vpc_id)}
    exposure = context.settings.proxy.exposure
    of_balancer = exposure.subnets if isinstance(exposure, NlbExposure) else {}
    problems = [
        *_missing({*cluster.subnet_ids, *endpoints.subnet_ids, *of_balancer} - by_id.keys(), cluster.vpc_id),
        *_of_lambda([by_id[each] for each in cluster.subnet_ids if each in by_id], cluster),
        *_of_balancer(by_id, of_balancer),
        *_endpoints(endpoints, endpoints_of(ec2, cluster.vpc_id, cluster.region), cluster.vpc_id),
    ]
    yield from problems
    if not problems:
        yield ok(f"the subnets of {cluster.vpc_id} exist and lead to AWS {'by NAT' if cluster.nat else 'by endpoints'}")


def _missing(unknown: Collection[str], vpc_id: str) -> Iterator[Finding]:
    if unknown:
        yield failed(f"{vpc_id} has no subnet {', '.join(sorted(unknown))}", "name subnets of the cluster's VPC")


def _of_lambda(subnets: Iterable[Subnet], cluster: Cluster) -> Iterator[Finding]:
    subnets = list(subnets)
    for subnet in subnets:
        if subnet.default_route == "internet":
            yield failed(
                f"cluster.subnet_ids: {subnet.id} is a public subnet, in which a Lambda has no public address and so "
                "no way to AWS",
                "name private subnets",
            )
        elif subnet.default_route == "none" and cluster.nat:
            yield failed(
                f"cluster.subnet_ids: {subnet.id} has no route to the internet, so the Lambda does not reach AWS",
                "route it to NAT, or set cluster.nat = false and name the VPC endpoints in [endpoints]",
            )
    if subnets and len({subnet.zone for subnet in subnets}) == 1:
        yield warning(
            f"cluster.subnet_ids are all in {subnets[0].zone}: no refresh while that zone is down",
            "name a subnet of a second zone",
        )


def _of_balancer(by_id: Mapping[str, Subnet], of_balancer: Mapping[str, str]) -> Iterator[Finding]:
    zones: dict[str, str] = {}
    for subnet_id, cidr in of_balancer.items():
        if not (subnet := by_id.get(subnet_id)):
            continue
        name = f"proxy.exposure.subnets.{subnet_id}"
        if subnet.cidr != cidr:
            yield failed(
                f"{name} = {cidr}: the subnet has {subnet.cidr}, and the pods would refuse the load balancer",
                f"set it to {subnet.cidr}",
            )
        if subnet.free_addresses < _BALANCER_ADDRESSES:
            yield failed(
                f"{name}: {subnet.free_addresses} addresses are free, and a load balancer needs {_BALANCER_ADDRESSES}",
                "name another subnet of the zone",
            )
        if other := zones.get(subnet.zone):
            yield failed(f"{name}: {other} is in the same zone {subnet.zone}", "name one subnet in each zone")
        zones[subnet.zone] = subnet_id


def _endpoints(endpoints: Endpoints, available: Collection[str], vpc_id: str) -> Iterator[Finding]:
    for service in endpoints.existing:
        if service not in available:
            # An endpoint of another account, in a shared VPC, is not listed.
            yield warning(
                f"endpoints.existing: {vpc_id} has no available endpoint {service}",
                "move it to endpoints.create; if another account owns it, ignore this",
            )


CHECK = Check("network", Category.AWS, run, needs=("aws",), runbook="docs/exposure.md#where-the-lambda-runs")
