"""The state of the stack's load balancer, and the health of the pods behind it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.stack_resources import DELETED_HINT, LOAD_BALANCER, TARGET_GROUP, TARGET_GROUP_CONSTRUCTS
from k8s_manifests.exposures import exposure_of

_RECREATE = f"{DELETED_HINT}; its address changes (docs/operations.md, Disasters)"
_ATTRIBUTE = "proxy_protocol_v2.enabled"
_PROXY_PROTOCOL = TARGET_GROUP_CONSTRUCTS[1]
_UNHEALTHY_HINT = (
    "check the pods; if they are ready, check the security groups from the load balancer to the pods' ports, and the "
    "NetworkPolicy, which allows the ranges in proxy.exposure.subnets"
)


def run(context: CheckContext) -> Iterator[Finding]:
    """The load balancer's state, then its targets; nothing with another exposure."""
    controller = exposure_of(context.settings).controller
    if not controller:
        return
    balancers, groups = context.stack.of(LOAD_BALANCER), context.stack.of(TARGET_GROUP)
    client = context.client("elbv2")
    if not balancers or not groups:
        yield failed("the stack has no load balancer, but this file asks for one", "deploy")
    for arn in balancers:
        yield _state(client, arn)
    for arn in groups:
        yield _targets(client, arn, context.settings.proxy.replicas, controller.if_idle)
    for arn in context.stack.of(TARGET_GROUP, _PROXY_PROTOCOL):
        yield from _proxy_protocol(client, arn)


def _state(client: Any, arn: str) -> Finding:  # noqa: ANN401 - boto3's clients are made at run time
    name = arn.split("/")[-2]
    described = get_or_none(client.describe_load_balancers, LoadBalancerArns=[arn])
    if described is None:
        return failed(f"load balancer {name} does not exist any more: pulls fail", _RECREATE)
    (balancer,) = described["LoadBalancers"]
    state = balancer["State"]
    message = f"load balancer {name} is {state['Code']}" + (f" ({state['Reason']})" if state.get("Reason") else "")
    match state["Code"]:
        case "active":
            return ok(message)
        case "provisioning":
            return warning(message, "wait some minutes, then run the doctor again")
        case "active_impaired":
            return warning(f"{message}: it serves, but cannot scale", "free some addresses in its subnets")
        case _:
            return failed(message, "free some addresses in its subnets, delete the stack and deploy it again")


def _targets(client: Any, arn: str, replicas: int, if_idle: str) -> Finding:  # noqa: ANN401 - boto3's clients are made at run time
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html."""
    described = get_or_none(client.describe_target_health, TargetGroupArn=arn)
    if described is None:
        return failed(f"target group {arn} does not exist any more: the load balancer reaches no pod", _RECREATE)
    return _health(arn.split("/")[-2], described["TargetHealthDescriptions"], replicas, if_idle)


def _proxy_protocol(client: Any, arn: str) -> Iterator[Finding]:  # noqa: ANN401 - boto3's clients are made at run time
    """Nothing where the load balancer sends the header that this port of nginx expects, or the group does not exist."""
    described = get_or_none(client.describe_target_group_attributes, TargetGroupArn=arn)
    attributes = {one["Key"]: one["Value"] for one in described["Attributes"]} if described else {}
    if attributes.get(_ATTRIBUTE, "true") != "true":
        yield failed(
            f"target group {arn} does not send PROXY protocol: nginx refuses its connections",
            f"set the attribute {_ATTRIBUTE} of the target group to true",
        )


def _health(group: str, listed: list[dict[str, Any]], replicas: int, if_idle: str) -> Finding:
    health = [target["TargetHealth"] for target in listed]
    # A pod that drains receives no new pulls.
    targets = [one for one in health if one.get("State") not in {"draining", "unhealthy.draining"}]
    unhealthy = [one for one in targets if one.get("State") != "healthy"]
    if not targets:
        return failed(
            f"target group {group}: no pod is registered at the load balancer: pulls fail",
            f"{if_idle}; the check binding shows the TargetGroupBinding",
        )
    message = f"target group {group}: {len(targets) - len(unhealthy)} of {len(targets)} registered pods are healthy"
    if unhealthy:
        report = warning if len(unhealthy) < len(targets) else failed
        return report(f"{message}: {_reasons(unhealthy)}", _UNHEALTHY_HINT)
    if len(targets) < replicas:
        return warning(f"{message}, but proxy.replicas is {replicas}", if_idle)
    return ok(message)


def _reasons(unhealthy: list[dict[str, str]]) -> str:
    seen = Counter(_reason(one) for one in unhealthy)
    return "; ".join(f"{count} {reason}" for reason, count in seen.most_common())


def _reason(health: dict[str, str]) -> str:
    details = (health.get("Reason"), health.get("Description"))
    return " ".join([health.get("State", "unknown"), *(f"({detail})" for detail in details if detail)])


CHECK = Check(
    "load-balancer", Category.AWS, run, needs=("stack",), runbook="docs/exposure.md#nlb-a-load-balancer-of-the-stack"
)
