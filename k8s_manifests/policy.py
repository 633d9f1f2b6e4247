"""What may happen to the pods: how many may be evicted at once, and which connections they may have."""

from collections.abc import Iterable

from lightkube.models.meta_v1 import LabelSelector
from lightkube.models.networking_v1 import (
    IPBlock,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from lightkube.models.policy_v1 import PodDisruptionBudgetSpec
from lightkube.resources.networking_v1 import NetworkPolicy
from lightkube.resources.policy_v1 import PodDisruptionBudget

from k8s_manifests.objects import Place
from lambda_fn.contract.paths import METRICS_PORT

# The instance metadata service listens on port 80, which no rule opens. This blocks it also if AWS adds TLS.
METADATA_V4 = "169.254.169.254/32"
METADATA_V6 = "fd00:ec2::254/128"


def disruption_budget(place: Place) -> PodDisruptionBudget:
    """At most one pod is evicted at a time; a pod that is not ready does not block the drain of a node."""
    return PodDisruptionBudget(
        metadata=place.metadata(),
        spec=PodDisruptionBudgetSpec(
            maxUnavailable=1,
            unhealthyPodEvictionPolicy="AlwaysAllow",
            selector=LabelSelector(matchLabels=place.selector_labels),
        ),
    )


def network_policy(
    place: Place, openings: Iterable[tuple[int, Iterable[str]]], *, monitoring_namespace: str | None
) -> NetworkPolicy:
    """In: to each port of `openings` from its network ranges, and to metrics. Out: DNS, and HTTPS to ECR and S3.

    A NetworkPolicy matches addresses, not names, and the addresses of ECR and S3 change. So 443 is open to all but the
    metadata service, and nginx limits by name which hosts it connects to. The kubelet's probes come from the node,
    which every implementation allows.
    """
    ingress = [
        NetworkPolicyIngressRule(
            from_=[NetworkPolicyPeer(ipBlock=IPBlock(cidr=cidr)) for cidr in sources],
            ports=[NetworkPolicyPort(port=port, protocol="TCP")],
        )
        for port, sources in openings
    ]
    if monitoring_namespace:
        ingress.append(_monitoring(monitoring_namespace))
    anywhere = [
        NetworkPolicyPeer(ipBlock=IPBlock(cidr="0.0.0.0/0", except_=[METADATA_V4])),
        NetworkPolicyPeer(ipBlock=IPBlock(cidr="::/0", except_=[METADATA_V6])),
    ]
    dns = [NetworkPolicyPort(port=53, protocol=protocol) for protocol in ("UDP", "TCP")]
    return NetworkPolicy(
        metadata=place.metadata(),
        spec=NetworkPolicySpec(
            podSelector=LabelSelector(matchLabels=place.selector_labels),
            policyTypes=["Ingress", "Egress"],
            ingress=ingress,
            egress=[
                NetworkPolicyEgressRule(ports=dns),
                NetworkPolicyEgressRule(to=anywhere, ports=[NetworkPolicyPort(port=443, protocol="TCP")]),
            ],
        ),
    )


def _monitoring(namespace: str) -> NetworkPolicyIngressRule:
    """The API server gives every namespace the label of its name, which cannot be changed.

    https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
    """
    named = LabelSelector(matchLabels={"kubernetes.io/metadata.name": namespace})
    return NetworkPolicyIngressRule(
        from_=[NetworkPolicyPeer(namespaceSelector=named)],
        ports=[NetworkPolicyPort(port=METRICS_PORT, protocol="TCP")],
    )
