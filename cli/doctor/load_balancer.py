"""The stack's load balancer and the pods behind it, as the load balancer sees them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.site import Site
from cli.doctor.stack import GONE, Resources
from lambda_fn.settings import NlbExposure

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
_CHECK = "load balancer"
_MAKE = f"{GONE}, which brings another address (docs/operations.md, Disasters)"
_WHY = (
    "look at the pods first; if they are ready, at the security groups from the load balancer to the pods' port, and "
    "at the NetworkPolicy, which lets in the ranges in proxy.exposure.subnets"
)


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The load balancer's state, then its targets; nothing with another exposure."""
    if not isinstance(site.settings.proxy.exposure, NlbExposure):
        return
    balancers, groups = found.of(BALANCER), found.of(TARGET_GROUP)
    if not balancers or not groups:
        yield failure(_CHECK, "the stack has none, and this file asks for one", "deploy")
    for arn in balancers:
        yield _state(site, arn)
    for arn in groups:
        yield _targets(site, arn)


def _state(site: Site, arn: str) -> Finding:
    name = arn.split("/")[-2]
    described = known(site.aws.client("elbv2", config=site.briefly).describe_load_balancers, LoadBalancerArns=[arn])
    if described is None:
        return failure(_CHECK, f"{name} is gone: nothing answers at the domain", _MAKE)
    (balancer,) = described["LoadBalancers"]
    state = balancer["State"]
    said = f"{name} is {state['Code']}" + (f" ({state['Reason']})" if state.get("Reason") else "")
    match state["Code"]:
        case "active":
            return fine(_CHECK, said)
        case "provisioning":
            return warning(_CHECK, said, "wait some minutes, then look again")
        case "active_impaired":
            return warning(_CHECK, said, "it serves, but cannot grow: look for free addresses in its subnets")
        case _:
            return failure(_CHECK, said, "look for free addresses in its subnets, delete the stack and deploy it again")


def _targets(site: Site, arn: str) -> Finding:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html."""
    described = known(site.aws.client("elbv2", config=site.briefly).describe_target_health, TargetGroupArn=arn)
    if described is None:
        return failure(_CHECK, f"the target group {arn} is gone: nothing leads to the pods", _MAKE)
    return _health(described["TargetHealthDescriptions"], site.settings.proxy.replicas)


def _health(listed: list[dict[str, Any]], wanted: int) -> Finding:
    # Those that leave are not missed.
    targets = [one for one in listed if one["TargetHealth"].get("State") not in {"draining", "unhealthy.draining"}]
    healthy = [one for one in targets if one["TargetHealth"].get("State") == "healthy"]
    if not targets:
        return failure(
            _CHECK,
            "no pod is registered behind it: nobody can pull",
            "see that the AWS Load Balancer Controller runs and what it says, that the TargetGroupBinding is there "
            "(below), and that pods are ready",
        )
    said = f"{len(healthy)} of {len(targets)} registered pods are healthy"
    if len(healthy) == len(targets) >= wanted:
        return fine(_CHECK, said)
    if len(healthy) == len(targets):
        return warning(
            _CHECK,
            f"{said}, and {wanted} are wanted",
            "look at the pods, and at what the AWS Load Balancer Controller says",
        )
    report = warning if healthy else failure
    return report(_CHECK, f"{said}: {_reasons(targets)}", _WHY)


def _reasons(targets: list[dict[str, Any]]) -> str:
    seen = Counter(_reason(one["TargetHealth"]) for one in targets if one["TargetHealth"].get("State") != "healthy")
    return "; ".join(f"{count} {reason}" for reason, count in seen.most_common())


def _reason(health: dict[str, str]) -> str:
    words = (health.get("Reason"), health.get("Description"))
    return " ".join([health.get("State", "unknown"), *(f"({word})" for word in words if word)])
