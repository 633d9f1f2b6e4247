"""`kind = "nlb"`: a Network Load Balancer that the stack owns; TargetGroupBindings put the pods behind it."""

from dataclasses import replace

from lightkube.core.resource import Resource
from lightkube.generic_resource import create_namespaced_resource

from k8s_manifests.exposures.controllers import CONTROLLERS, Controller
from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.exposures.target_groups import TargetGroups
from k8s_manifests.objects import Place
from lambda_fn.contract.objects import proxied_binding
from lambda_fn.contract.paths import PROXY_PROTOCOL_PORT
from lambda_fn.settings.exposure import NlbExposure

_KIND = "TargetGroupBinding"

DEREGISTRATION_SECONDS = 150
"""How long new connections may still reach a pod that leaves a target group; two minutes have been seen.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3270
"""

REGISTRATION_SECONDS = 180
"""The longest time to register a pod and to pass two health checks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
"""


def exposure(table: NlbExposure, *, place: Place, clients: tuple[str, ...], target_groups: TargetGroups) -> Exposure:
    """The Service, bound to the target groups. There is no binding where an ARN is not known.

    It is bound to both, whichever the load balancer leads to: so a change of the setting finds pods in the other one.
    """
    groups = target_groups.or_else(TargetGroups(table.target_group_arn, table.proxy_protocol_target_group_arn))
    controller = CONTROLLERS[table.controller]
    # Health checks come from the load balancer's own addresses in any case.
    sources = (*table.subnets.values(), *(clients if table.preserve_client_ip else ()))
    found = Exposure(
        kind=table.kind,
        sources=sources,
        proxy_protocol_sources=tuple(table.subnets.values()),
        tls_secret=table.pod_tls_secret,
        namespace_labels={controller.readiness_gate_label: "enabled"},
        endpoint_seconds=DEREGISTRATION_SECONDS,
        registration_seconds=REGISTRATION_SECONDS,
        controller=controller,
        target_groups=groups,
        vpc_endpoints=controller.vpc_endpoints,
        zones=len(table.subnets),
        clients_setting="proxy_protocol_target_group_arn",
        clients_fix="set it to the stack's output ProxyProtocolTargetGroupArn, apply the charts, then deploy",
    )
    bindings = (
        (place.workload, found.service_port, groups.plain),
        (proxied_binding(place.workload), PROXY_PROTOCOL_PORT, groups.proxy_protocol),
    )
    objects = tuple(_binding(controller, place, name, port, arn) for name, port, arn in bindings if arn)
    return replace(found, proxy_objects=objects)


def _binding(controller: Controller, place: Place, name: str, service_port: int, target_group_arn: str) -> Resource:
    """The pods of the Service as the targets of a target group.

    By ARN, although the AWS Load Balancer Controller also takes a name: by name it has lost the target group during
    a rollout (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/4438). It has no `networking`:
    the stack opens the pods' security group itself.
    """
    spec = {
        "targetGroupARN": target_group_arn,
        "targetType": "ip",
        "serviceRef": {"name": place.workload, "port": service_port},
    }
    resource = create_namespaced_resource(controller.group, controller.version, _KIND, "targetgroupbindings")
    return resource(apiVersion=controller.api_version, kind=_KIND, metadata=place.metadata(name), spec=spec)
