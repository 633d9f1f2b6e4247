"""Whether the cluster is as the settings say, and takes what a deployment does to it."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.account.cluster import ClusterFacts, cluster_of
from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from lambda_fn.contract import kubectl
from lambda_fn.settings.cluster import Cluster

_ANYWHERE = "0.0.0.0/0"


def run(context: CheckContext) -> Iterator[Finding]:
    """State, authentication mode, version, network and the reachability of its API."""
    cluster = context.settings.cluster
    found = get_or_none(context.client("eks").describe_cluster, name=cluster.name)
    if found is None:
        yield failed(
            f"EKS in {cluster.region} has no cluster {cluster.name} in your account",
            "correct cluster.name and cluster.region, or use --profile NAME",
            fatal=True,
        )
        return
    described, facts = found["cluster"], cluster_of(found["cluster"])
    problems = [
        *_state(described, cluster.name),
        *_access(facts, cluster.region),
        *_version(facts, applies=context.settings.manifests != "external"),
        *_network(facts, cluster),
        *_api(facts, cluster, described),
    ]
    yield from problems
    if not problems:
        yield ok(
            f"cluster {cluster.name} has Kubernetes {facts.version} and the authentication mode "
            f"{facts.authentication_mode or 'unknown'}"
        )


def _state(described: Mapping[str, Any], name: str) -> Iterator[Finding]:
    if (status := described.get("status")) not in {"ACTIVE", "UPDATING"}:
        yield failed(f"cluster {name} is {status}", "wait until it is ACTIVE, then deploy")


def _access(facts: ClusterFacts, region: str) -> Iterator[Finding]:
    if facts.authentication_mode == "CONFIG_MAP":
        yield failed(
            f"cluster {facts.name} ignores access entries, by which the Lambda gets its rights: its authentication "
            "mode is CONFIG_MAP",
            f"aws eks update-cluster-config --region {region} --name {facts.name} --access-config "
            "authenticationMode=API_AND_CONFIG_MAP",
        )


def _version(facts: ClusterFacts, *, applies: bool) -> Iterator[Finding]:
    if applies and (too_far := kubectl.unsupported(facts.version)):
        problem, _, fix = too_far.partition(". Fix: ")
        yield warning(problem, fix)


def _network(facts: ClusterFacts, cluster: Cluster) -> Iterator[Finding]:
    if cluster.vpc_id and facts.vpc_id and cluster.vpc_id != facts.vpc_id:
        yield failed(f"cluster.vpc_id = {cluster.vpc_id}: the cluster is in {facts.vpc_id}", "set it to that VPC")
    group = facts.security_group_id
    if cluster.security_group_id and group and cluster.security_group_id != group:
        yield warning(
            f"cluster.security_group_id = {cluster.security_group_id}: the cluster security group is {group}, and only "
            "its rules open the Kubernetes API",
            f"set it to {group}",
        )


def _api(facts: ClusterFacts, cluster: Cluster, described: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the Lambda reaches the API from its place."""
    allowed = (described.get("resourcesVpcConfig") or {}).get("publicAccessCidrs") or [_ANYWHERE]
    ranges = "" if _ANYWHERE in allowed else ", ".join(allowed)
    yield from _api_from_vpc(facts, cluster, ranges) if cluster.subnet_ids else _api_from_outside(facts, ranges)


def _api_from_vpc(facts: ClusterFacts, cluster: Cluster, ranges: str) -> Iterator[Finding]:
    """Without a private endpoint, clients in the VPC use the public one.

    https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
    """
    if facts.private_endpoint:
        return
    enable = (
        f"aws eks update-cluster-config --region {cluster.region} --name {facts.name} --resources-vpc-config "
        "endpointPrivateAccess=true"
    )
    if not cluster.nat:
        yield failed(
            f"the Kubernetes API of {facts.name} has no private endpoint, and with cluster.nat = false the Lambda does "
            "not reach the public one",
            enable,
        )
    elif ranges:
        yield warning(
            f"the Kubernetes API of {facts.name} has no private endpoint, and its public one allows only {ranges}: the "
            "Lambda reaches it only if these have the public addresses of the VPC's NAT",
            f"add them if they are missing, or: {enable}",
        )


def _api_from_outside(facts: ClusterFacts, ranges: str) -> Iterator[Finding]:
    if not facts.public_endpoint:
        yield failed(
            f"the Kubernetes API of {facts.name} has no public endpoint, and the Lambda runs outside of the VPC",
            "set cluster.vpc_id, cluster.subnet_ids and cluster.security_group_id, and public_endpoint = false",
        )
    elif ranges:
        yield failed(
            f"the public endpoint of {facts.name} allows only {ranges}, and a Lambda outside of the VPC has no fixed "
            "address",
            "set cluster.vpc_id, cluster.subnet_ids and cluster.security_group_id",
        )


CHECK = Check(
    "cluster", Category.AWS, run, needs=("aws",), runbook="docs/operations.md#a-cluster-that-uses-only-aws-auth"
)
