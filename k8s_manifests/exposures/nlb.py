"""`kind = "nlb"`: a Network Load Balancer that the stack owns; a TargetGroupBinding puts the pods behind it."""

from dataclasses import replace

from lightkube.core.resource import Resource
from lightkube.generic_resource import create_namespaced_resource

from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.objects import Place
from lambda_fn.settings.exposure import NlbExposure

READINESS_GATE_LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
"""On a namespace: a pod is ready only when the load balancer finds it healthy.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
"""

DEREGISTRATION_SECONDS = 150
"""How long new connections may still reach a pod that leaves a target group; two minutes have been seen.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3270
"""

REGISTRATION_SECONDS = 180
"""The longest time to register a pod and to pass two health checks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
"""

_VPC_ENDPOINTS = dict.fromkeys(("ec2", "elasticloadbalancing"), "which the AWS Load Balancer Controller calls")
"""https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html . Where the controller takes its credentials
from (`sts`, `eks-auth` or its node) is not known here.
"""

TargetGroupBinding = create_namespaced_resource("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings")


def exposure(
    table: NlbExposure, *, place: Place, clients: tuple[str, ...], target_group_arn: str | None = None
) -> Exposure:
    """The Service, bound to the target group. There is no binding where the ARN is not known."""
    arn = target_group_arn or table.target_group_arn
    # Health checks come from the load balancer's own addresses in any case.
    sources = (*table.subnets.values(), *(clients if table.preserve_client_ip else ()))
    found = Exposure(
        kind=table.kind,
        sources=sources,
        tls_secret=table.pod_tls_secret,
        namespace_labels={READINESS_GATE_LABEL: "enabled"},
        endpoint_seconds=DEREGISTRATION_SECONDS,
        registration_seconds=REGISTRATION_SECONDS,
        has_load_balancer=True,
        target_group_arn=arn,
        vpc_endpoints=_VPC_ENDPOINTS,
    )
    return replace(found, proxy_objects=(_binding(place, found.service_port, arn),)) if arn else found


def _binding(place: Place, service_port: int, target_group_arn: str) -> Resource:
    """The pods of the Service as the targets of a target group.

    By ARN, although the controller also takes a name: by name it has lost the target group during a rollout
    (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/4438). It has no `networking`: the stack
    opens the pods' security group itself.
    """
    spec = {
        "targetGroupARN": target_group_arn,
        "targetType": "ip",
        "serviceRef": {"name": place.workload, "port": service_port},
    }
    return TargetGroupBinding(
        apiVersion="elbv2.k8s.aws/v1beta1", kind="TargetGroupBinding", metadata=place.metadata(), spec=spec
    )
