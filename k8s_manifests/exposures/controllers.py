"""What registers the pods with the stack's target groups: `proxy.exposure.controller` of `kind = "nlb"`."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A controller that knows TargetGroupBindings.

    Attributes:
        group: The API group of its TargetGroupBinding.
        version: The version of that API.
        readiness_gate_label: On a namespace: a pod is ready only when the load balancer finds it healthy.
        vpc_endpoints: The VPC endpoints it needs where the VPC has no NAT, each with its purpose.
        cluster_tag: The tag of a target group with the cluster's name, without which it may register nothing.
        if_missing: The fix where the cluster does not know its TargetGroupBinding.
        if_idle: Where an operator finds the reason when it registers no pod.
    """

    group: str
    version: str
    readiness_gate_label: str
    vpc_endpoints: Mapping[str, str] = field(default_factory=dict)
    cluster_tag: str | None = None
    if_missing: str
    if_idle: str

    @property
    def api_version(self) -> str:
        """Of its TargetGroupBinding."""
        return f"{self.group}/{self.version}"

    def target_group_tags(self, cluster: str) -> dict[str, str]:
        """The tags that a target group needs for a cluster of this name."""
        return {self.cluster_tag: cluster} if self.cluster_tag else {}


AWS_LOAD_BALANCER_CONTROLLER = Controller(
    group="elbv2.k8s.aws",
    version="v1beta1",
    readiness_gate_label="elbv2.k8s.aws/pod-readiness-gate-inject",
    vpc_endpoints=dict.fromkeys(("ec2", "elasticloadbalancing"), "which the AWS Load Balancer Controller calls"),
    if_missing="install the AWS Load Balancer Controller with its TargetGroupBinding, or with EKS Auto Mode set "
    'proxy.exposure.controller = "eks-auto-mode" (docs/exposure.md)',
    if_idle="check the pods, and the log of the AWS Load Balancer Controller",
)
"""https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/ and
.../deploy/pod_readiness_gate/ ; endpoints: https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html .
Where the controller takes its credentials from (`sts`, `eks-auth` or its node) is not known here.
"""

EKS_AUTO_MODE = Controller(
    group="eks.amazonaws.com",
    version="v1",
    readiness_gate_label="eks.amazonaws.com/pod-readiness-gate-inject",
    cluster_tag="eks:eks-cluster-name",
    if_missing="turn on load balancing in EKS Auto Mode, or with the AWS Load Balancer Controller leave "
    "proxy.exposure.controller out (docs/exposure.md)",
    if_idle="check the pods; attach AmazonEKSLoadBalancingPolicy to the cluster's role (what AWS refused to it is in "
    "CloudTrail)",
)
"""https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html#_targetgroupbinding . AWS runs it outside of
the VPC, with the cluster's role, whose AmazonEKSLoadBalancingPolicy admits the target groups with this tag and no
others. AWS documents no readiness gate: that its webhook looks for this label, and that the pod's condition is then
`target-health.eks.amazonaws.com/<binding>`, users of it have reported. Without the webhook the label does nothing.
"""

CONTROLLERS = {"aws-load-balancer-controller": AWS_LOAD_BALANCER_CONTROLLER, "eks-auto-mode": EKS_AUTO_MODE}
"""By the value of `proxy.exposure.controller`."""
