"""The state in force, read from AWS and from the cluster."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.stack_resources import DEPLOYMENT_LOG
from testbed.sandbox import installation
from testbed.sandbox.installation import session
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World

TOO_LONG = "Response object is too long."
"""What CloudFormation shows of a custom resource whose response has more than 4,096 bytes."""


def in_force(world: World, function: str) -> Mapping[str, Any]:
    """What a deployment sets: code, environment, schedules, alarms, and the pods' template and configuration."""
    names = installation.settings(world).names
    place = ("--namespace", world.namespace)
    deployment = kubectl_json("get", "deployment", names.workload, *place)
    configuration = session(world, "default").client("lambda").get_function_configuration(FunctionName=function)
    return {
        "code": configuration["CodeSha256"],
        "environment": configuration["Environment"]["Variables"],
        "schedules": {name: schedule["ScheduleExpression"] for name, schedule in schedules(world).items()},
        "alarms": alarms(world),
        "replicas": deployment["spec"]["replicas"],
        "budget": kubectl_json("get", "poddisruptionbudget", names.workload, *place)["spec"],
        "pods": deployment["spec"]["template"],
        "template": kubectl_json("get", "configmap", names.template_config_map, *place)["data"],
        "configuration": kubectl_json("get", "configmap", names.config_map, *place)["data"],
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The differences as text; empty where there are none."""
    return "; ".join(
        f"{key} was {json.dumps(before[key])} and is {json.dumps(after[key])}"
        for key in before
        if before[key] != after[key]
    )


def schedules(world: World) -> Mapping[str, Mapping[str, Any]]:
    """Every schedule in Scheduler, by its name."""
    scheduler = session(world, "default").client("scheduler")
    listed = scheduler.list_schedules()["Schedules"]
    return {one["Name"]: scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"]) for one in listed}


def alarms(world: World) -> list[str]:
    """The names of every alarm in CloudWatch."""
    listed = session(world, "default").client("cloudwatch").describe_alarms()["MetricAlarms"]
    return sorted(alarm["AlarmName"] for alarm in listed)


def access_entries(world: World) -> list[str]:
    """Every role that the cluster knows."""
    return [entry["rolearn"] for entry in json.loads(world.access_file.read_text())["mapRoles"]]


def log_groups(world: World) -> list[str]:
    """Every log group in CloudWatch."""
    groups = session(world, "default").client("logs").describe_log_groups()["logGroups"]
    return sorted(group["logGroupName"] for group in groups)


def logged(world: World, text: str) -> str:
    """The first line with `text` in the log of the deployments, which docs/operations.md names; empty if none."""
    pages = session(world, "default").client("logs").get_paginator("filter_log_events")
    groups = [name for name in log_groups(world) if DEPLOYMENT_LOG in name]
    found = (page["events"] for group in groups for page in pages.paginate(logGroupName=group))
    return next((event["message"] for events in found for event in events if text in event["message"]), "")


def left_behind(world: World) -> Mapping[str, list[str]]:
    """What there is in AWS of the kinds the stack makes, but for logs and what `cdk bootstrap` made."""
    aws = session(world, "default")
    groups = aws.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    balancing = aws.client("elbv2")
    found = {
        "functions": [one["FunctionName"] for one in aws.client("lambda").list_functions()["Functions"]],
        "roles": [one["RoleName"] for one in aws.client("iam").list_roles()["Roles"]],
        "queues": aws.client("sqs").list_queues().get("QueueUrls", []),
        "dashboards": [one["DashboardName"] for one in aws.client("cloudwatch").list_dashboards()["DashboardEntries"]],
        "security groups": [one["GroupName"] for one in aws.client("ec2").describe_security_groups()["SecurityGroups"]],
        "schedules": list(schedules(world)),
        "schedule groups": [one["Name"] for one in groups if one["Name"] != "default"],
        "alarms": alarms(world),
        "access entries": access_entries(world),
        "rules": [one["Name"] for one in aws.client("events").list_rules()["Rules"]],
        "topics": [one["TopicArn"] for one in aws.client("sns").list_topics()["Topics"]],
        "endpoints": [one["VpcEndpointId"] for one in aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]],
        "load balancers": [one["LoadBalancerName"] for one in balancing.describe_load_balancers()["LoadBalancers"]],
        "target groups": [one["TargetGroupName"] for one in balancing.describe_target_groups()["TargetGroups"]],
        "keys": list(_keys(aws.client("kms"))),
    }
    own = ("cdk-hnb659fds-", "default")  # the toolkit's roles, the VPC's own security group
    kept = {kind: [name for name in names if not name.startswith(own)] for kind, names in found.items()}
    return {kind: names for kind, names in kept.items() if names}


def _keys(kms: Any) -> Iterator[str]:  # noqa: ANN401  boto3 makes clients at run time
    """Keys that are not deleted at the end of a waiting time."""
    for key in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion":
            yield key["KeyId"]
