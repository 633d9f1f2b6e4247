"""The pods as the load balancer sees them: by their addresses, and healthy while nginx is ready."""

from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from lambda_fn.contract.paths import READY
from lambda_fn.settings import NlbExposure, Settings
from stacks.network import HTTPS

_LONGEST_DEREGISTRATION_SECONDS = 3600


def target_group(
    scope: Construct, construct_id: str, *, settings: Settings, exposure: NlbExposure
) -> elbv2.CfnTargetGroup:
    """Pods by their addresses, each with the port it was registered with; healthy when nginx is ready.

    Only what never has to change is part of what cannot: a TargetGroupBinding may not be led to another target group.
    """
    protocol = "HTTPS" if exposure.tls_secret else "HTTP"
    return elbv2.CfnTargetGroup(
        scope,
        construct_id,
        target_type="ip",
        protocol="TCP",
        port=HTTPS,
        vpc_id=settings.cluster.vpc_id,
        health_check_protocol=protocol,
        health_check_path=READY,
        health_check_port="traffic-port",
        health_check_interval_seconds=10,
        health_check_timeout_seconds=5,
        healthy_threshold_count=2,
        unhealthy_threshold_count=2,
        matcher=elbv2.CfnTargetGroup.MatcherProperty(http_code="200"),
        target_group_attributes=_target_attributes(settings, exposure),
    )


def _target_attributes(
    settings: Settings, exposure: NlbExposure
) -> list[elbv2.CfnTargetGroup.TargetGroupAttributeProperty]:
    """A pull in progress is left alone: neither a pod that leaves nor one that is late with an answer is cut off.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    drain = min(settings.proxy.drain_seconds, _LONGEST_DEREGISTRATION_SECONDS)
    attributes = {
        "preserve_client_ip.enabled": str(exposure.preserve_client_ip).lower(),
        "deregistration_delay.timeout_seconds": str(drain),
        "deregistration_delay.connection_termination.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "false",
    }
    return [
        elbv2.CfnTargetGroup.TargetGroupAttributeProperty(key=key, value=value) for key, value in attributes.items()
    ]
