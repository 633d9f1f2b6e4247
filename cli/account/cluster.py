"""An EKS cluster, as EKS describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What the settings need to know of a cluster.

    Attributes:
        name: Its name.
        version: Kubernetes' version, such as `1.36`; empty where EKS does not say it.
        authentication_mode: `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`; empty where EKS does not say it.
        vpc_id: Its VPC.
        security_group_id: The cluster security group.
        public_endpoint: Whether its API has a public address.
        private_endpoint: Whether its API has an address in the VPC.
        has_auto_mode: Whether EKS Auto Mode registers the pods of load balancers.
        is_ipv6: Whether pods have only IPv6 addresses.
    """

    name: str
    version: str = ""
    authentication_mode: str = ""
    vpc_id: str | None = None
    security_group_id: str | None = None
    public_endpoint: bool = True
    private_endpoint: bool = True
    has_auto_mode: bool = False
    is_ipv6: bool = False


def names_of(eks: Any) -> tuple[str, ...]:  # noqa: ANN401 - boto3's clients are made at run time
    """The clusters of the region, by name.

    Raises:
        ClientError: EKS refuses.
        BotoCoreError: EKS cannot be reached.
    """
    return tuple(sorted(name for page in eks.get_paginator("list_clusters").paginate() for name in page["clusters"]))


def cluster_of(described: Mapping[str, Any]) -> ClusterFacts:
    """The facts in an answer of DescribeCluster.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
    """
    network, kubernetes = described.get("resourcesVpcConfig") or {}, described.get("kubernetesNetworkConfig") or {}
    return ClusterFacts(
        name=described["name"],
        version=described.get("version", ""),
        authentication_mode=(described.get("accessConfig") or {}).get("authenticationMode", ""),
        vpc_id=network.get("vpcId") or None,
        security_group_id=network.get("clusterSecurityGroupId") or None,
        public_endpoint=bool(network.get("endpointPublicAccess", True)),
        private_endpoint=bool(network.get("endpointPrivateAccess", True)),
        has_auto_mode=bool((kubernetes.get("elasticLoadBalancing") or {}).get("enabled")),
        is_ipv6=kubernetes.get("ipFamily") == "ipv6",
    )
