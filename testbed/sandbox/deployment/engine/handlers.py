"""The resource types that MiniStack's CloudFormation lacks, each as its engine wants them.

A handler creates, updates and deletes one resource and raises what failed; order, change sets, rollback and retention
are the engine's. `testbed/docs/testing.md` has the same list.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from ministack.services import alb, cloudwatch, ec2
from ministack.services.cloudformation import provisioners

from testbed.sandbox.access import revoke_access
from testbed.sandbox.deployment import entries
from testbed.sandbox.installation import session
from testbed.sandbox.world import World

Properties = Mapping[str, Any]
Made = tuple[str, dict[str, str]]
"""The physical id, and the attributes that Fn::GetAtt reads."""
_PREFIXES = {"PullThroughCacheRule": "EcrRepositoryPrefix", "RepositoryCreationTemplate": "Prefix"}
"""Kinds of ECR's API -> the property that names one."""


def register(world: World) -> None:
    """Add the handlers to MiniStack's table."""
    provisioners._RESOURCE_HANDLERS.update(
        {
            "AWS::EKS::AccessEntry": _handler(lambda _, properties: _access_entry(world, properties))
            | {"delete": lambda _, properties: revoke_access(world, properties["PrincipalArn"])},
            "AWS::ECR::PullTimeUpdateExclusion": {
                "create": lambda _, properties, __: _exclude(world, properties["PrincipalArn"]),
                "delete": lambda _, properties: _include(world, properties["PrincipalArn"]),
            },
            **{f"AWS::ECR::{kind}": _of_ecr(world, kind, key) for kind, key in _PREFIXES.items()},
            "AWS::EC2::SecurityGroupIngress": {
                "create": lambda name, properties, _: _rule(name, properties),
                "update": _replace_rule,
                "update_with_logical_id": True,
                "delete": lambda _, properties: _remove_rule(properties),
            },
            "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer(
                provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
            ),
            "AWS::CloudWatch::Alarm": provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
            | {"create": _create_alarm, "update": _update_alarm},
        }
    )


def _handler(put: Callable[[str, Properties], Made]) -> dict[str, Any]:
    """The handler of a type that is created and updated in the same way, by its logical id."""
    return {
        "create": lambda name, properties, _: put(name, properties),
        "update": lambda _, __, properties, ___, name: put(name, properties),
        "update_with_logical_id": True,
    }


def _access_entry(world: World, properties: Properties) -> Made:
    """Written where the running authenticator reads it."""
    entries.grant(world, properties)
    return f"{properties['ClusterName']}|{properties['PrincipalArn']}", {}


def _exclude(world: World, principal: str) -> Made:
    """ECR is the double, whose API has the operation; moto and MiniStack lack it."""
    session(world, "default").client("ecr").register_pull_time_update_exclusion(principalArn=principal)
    return principal, {}


def _include(world: World, principal: str) -> None:
    session(world, "default").client("ecr").deregister_pull_time_update_exclusion(principalArn=principal)


def _of_ecr(world: World, kind: str, key: str) -> dict[str, Any]:
    """The handler of a kind whose properties have the names of the API's parameters, which begin in lower case."""

    def call(operation: str, properties: Properties) -> Made:
        given = {f"{name[0].lower()}{name[1:]}": value for name, value in properties.items()}
        getattr(session(world, "default").client("ecr"), xform_name(f"{operation}{kind}"))(**given)
        return properties[key], {}

    return {
        "create": lambda _, properties, __: call("Create", properties),
        "delete": lambda _, properties: call("Delete", {key: properties[key]}),
    }


def _rule(name: str, properties: Properties) -> Made:
    """A rule of its own, in the group that MiniStack's EC2 has; an unknown group is EC2's error."""
    group = ec2._security_groups.get(properties["GroupId"])
    if group is None:
        raise ValueError(f"The security group '{properties['GroupId']}' does not exist")
    group["IpPermissions"] += provisioners._ec2_sg_permissions([properties])
    return f"sgr-{name}", {"Id": f"sgr-{name}"}


def _replace_rule(_: str, before: Properties, after: Properties, __: str, name: str) -> Made:
    _remove_rule(before)
    return _rule(name, after)


def _remove_rule(properties: Properties) -> None:
    group = ec2._security_groups.get(properties["GroupId"])
    if group is not None:
        (rule,) = provisioners._ec2_sg_permissions([properties])
        group["IpPermissions"] = [one for one in group["IpPermissions"] if one != rule]


def _balancer(of_ministack: dict[str, Any]) -> dict[str, Any]:
    """MiniStack deletes a protected load balancer, too; AWS refuses."""

    def delete(arn: str, properties: Properties) -> None:
        if {"Key": "deletion_protection.enabled", "Value": "true"} in alb._lb_attrs.get(arn, []):
            raise ValueError(f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
        of_ministack["delete"](arn, properties)

    return of_ministack | {"delete": delete}


def _create_alarm(name: str, properties: Properties, stack: str) -> Made:
    return _alarm(provisioners._physical_name(stack, name, max_len=255), properties)


def _update_alarm(physical_id: str, _: Properties, properties: Properties, __: str, ___: str) -> Made:
    return _alarm(physical_id, properties)


def _alarm(name: str, properties: Properties) -> Made:
    """MiniStack's own record of an alarm; one with metric math, which it refuses, has its `Metrics` added.

    Such an alarm is stored and listed, and never evaluated: MiniStack evaluates a metric's name only.
    """
    if "Metrics" not in properties:
        made: Made = provisioners._cw_metric_alarm_put(name, properties)
        return made
    one_metric = {**properties, "Metrics": None, "MetricName": "none", "Namespace": "none"}
    record = provisioners._cw_metric_alarm_record(name, one_metric)
    for key in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit"):
        del record[key]
    cloudwatch.cloudformation_put_metric_alarm(record | {"Metrics": properties["Metrics"]})
    cloudwatch.cloudformation_set_metric_alarm_tags(name, properties.get("Tags", []))
    return name, {"Arn": record["AlarmArn"]}
