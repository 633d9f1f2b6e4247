"""What ties the pods to the load balancer that the stack owns (`exposure.kind = "nlb"`)."""

from lightkube.core.resource import Resource
from lightkube.generic_resource import create_namespaced_resource

from k8s_manifests.exposure import service_port
from k8s_manifests.objects import metadata
from lambda_fn.settings import NlbExposure, Settings

READINESS_GATE_LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
"""On a namespace: a pod is ready when the load balancer finds it healthy, and not before.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
"""

DEREGISTRATION_SECONDS = 150
"""How long new connections may still reach a pod that leaves a target group; two minutes have been seen.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3270
"""

TargetGroupBinding = create_namespaced_resource("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings")


def target_group_binding(settings: Settings, target_group_arn: str | None) -> list[Resource]:
    """The pods of the Service as the targets of a target group; nothing where there is none, or its ARN is not known.

    By ARN, although the controller also takes a name: with a name it has been seen to lose the target group in a
    rollout (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/4438). It has no `networking`: the
    stack opens the pods' security group itself.
    """
    if not isinstance(settings.proxy.exposure, NlbExposure) or not target_group_arn:
        return []
    meta = metadata(settings, settings.names.workload)
    spec = {
        "targetGroupARN": target_group_arn,
        "targetType": "ip",
        "serviceRef": {"name": settings.names.workload, "port": service_port(settings)},
    }
    return [TargetGroupBinding(apiVersion="elbv2.k8s.aws/v1beta1", kind="TargetGroupBinding", metadata=meta, spec=spec)]


def readiness_gate(settings: Settings) -> dict[str, str]:
    """The namespace's label that has the controller hold back pods the load balancer does not know yet."""
    return {READINESS_GATE_LABEL: "enabled"} if isinstance(settings.proxy.exposure, NlbExposure) else {}
