"""What may happen to the pods: how many at once may be evicted, and with whom they may speak."""

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

from k8s_manifests.exposure import listening_port
from k8s_manifests.objects import metadata, selector_labels
from lambda_fn.settings import NlbExposure, Settings

# The instance metadata service speaks port 80, which no rule opens: this keeps it shut should AWS ever add TLS.
METADATA_V4 = "169.254.169.254/32"
METADATA_V6 = "fd00:ec2::254/128"


def disruption_budget(settings: Settings) -> PodDisruptionBudget:
    """At most one pod away at a time; a pod that is not ready never holds up a node's drain."""
    return PodDisruptionBudget(
        metadata=metadata(settings, settings.names.workload),
        spec=PodDisruptionBudgetSpec(
            maxUnavailable=1,
            unhealthyPodEvictionPolicy="AlwaysAllow",
            selector=LabelSelector(matchLabels=selector_labels(settings)),
        ),
    )


def network_policy(settings: Settings) -> NetworkPolicy:
    """In: clients, on the port that serves them. Out: DNS, and HTTPS to ECR and S3.

    A NetworkPolicy knows addresses, not names, and those of ECR and S3 change: so 443 is open to all but the metadata
    service, and nginx itself decides by name whom it speaks to. The kubelet's probes come from the node, which every
    implementation lets through.
    """
    clients = [NetworkPolicyPeer(ipBlock=IPBlock(cidr=cidr)) for cidr in _sources(settings)]
    anywhere = [
        NetworkPolicyPeer(ipBlock=IPBlock(cidr="0.0.0.0/0", except_=[METADATA_V4])),
        NetworkPolicyPeer(ipBlock=IPBlock(cidr="::/0", except_=[METADATA_V6])),
    ]
    dns = [NetworkPolicyPort(port=53, protocol=protocol) for protocol in ("UDP", "TCP")]
    return NetworkPolicy(
        metadata=metadata(settings, settings.names.workload),
        spec=NetworkPolicySpec(
            podSelector=LabelSelector(matchLabels=selector_labels(settings)),
            policyTypes=["Ingress", "Egress"],
            ingress=[
                NetworkPolicyIngressRule(
                    from_=clients, ports=[NetworkPolicyPort(port=listening_port(settings), protocol="TCP")]
                )
            ],
            egress=[
                NetworkPolicyEgressRule(ports=dns),
                NetworkPolicyEgressRule(to=anywhere, ports=[NetworkPolicyPort(port=443, protocol="TCP")]),
            ],
        ),
    )


def _sources(settings: Settings) -> list[str]:
    """From where connections arrive at the pods: from the load balancer where there is one, else from the clients."""
    exposure, clients = settings.proxy.exposure, settings.proxy.client_cidrs
    if not isinstance(exposure, NlbExposure):
        return [*clients]
    # Health checks come from the load balancer's own addresses either way.
    return [*exposure.subnets.values(), *(clients if exposure.preserve_client_ip else ())]
