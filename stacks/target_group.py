"""The target group of the load balancer: pods by IP address, healthy while nginx is ready."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from lambda_fn.contract.paths import READY
from lambda_fn.settings.exposure import NlbExposure
from stacks.network import HTTPS

_LONGEST_DEREGISTRATION_SECONDS = 3600


def target_group(  # noqa: PLR0913 - properties, each passed by name
    scope: Construct,
    construct_id: str,
    *,
    vpc_id: str,
    exposure: NlbExposure,
    drain_seconds: int,
    proxy_protocol: bool,
    tags: Mapping[str, str],
) -> elbv2.CfnTargetGroup:
    """Pods by IP address, each with the port it was registered with; healthy while nginx is ready.

    CloudFormation replaces a target group when one of its immutable properties changes, and a TargetGroupBinding cannot
    move to another one: so none of these properties depends on a setting that may change later. PROXY protocol can be
    switched, but not for a pod that has one port: pods that speak it are in a group of their own.
    """
    protocol = "HTTPS" if exposure.tls_secret else "HTTP"
    return elbv2.CfnTargetGroup(
        scope,
        construct_id,
        target_type="ip",
        protocol="TCP",
        port=HTTPS,
        vpc_id=vpc_id,
        health_check_protocol=protocol,
        health_check_path=READY,
        health_check_port="traffic-port",
        health_check_interval_seconds=10,
        health_check_timeout_seconds=5,
        healthy_threshold_count=2,
        unhealthy_threshold_count=2,
        matcher=elbv2.CfnTargetGroup.MatcherProperty(http_code="200"),
        target_group_attributes=_attributes(
            proxy_protocol=proxy_protocol,
            preserve_client_ip=exposure.preserve_client_ip and not proxy_protocol,
            drain_seconds=drain_seconds,
        ),
        tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
    )


def _attributes(
    *, proxy_protocol: bool, preserve_client_ip: bool, drain_seconds: int
) -> list[elbv2.CfnTargetGroup.TargetGroupAttributeProperty]:
    """No connection is cut, neither to a pod that drains nor to an unhealthy one: a pull in progress may finish.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    drain = min(drain_seconds, _LONGEST_DEREGISTRATION_SECONDS)
    attributes = {
        # The header is sent on health checks too.
        "proxy_protocol_v2.enabled": str(proxy_protocol).lower(),
        "preserve_client_ip.enabled": str(preserve_client_ip).lower(),
        "deregistration_delay.timeout_seconds": str(drain),
        "deregistration_delay.connection_termination.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "false",
    }
    return [
        elbv2.CfnTargetGroup.TargetGroupAttributeProperty(key=key, value=value) for key, value in attributes.items()
    ]
