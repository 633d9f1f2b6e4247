"""Log groups, with retention and key, also for the functions that CDK adds to the stack."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(
    scope: Construct,
    construct_id: str,
    *,
    retention_days: int,
    removal_policy: cdk.RemovalPolicy,
    key: kms.IKey | None,
) -> logs.LogGroup:
    """A log group that keeps its lines for `retention_days`, one of the numbers that CloudWatch allows."""
    group = logs.LogGroup(scope, construct_id, removal_policy=removal_policy, encryption_key=key)
    # The L2 takes only the names of an enum; the settings hold CloudWatch's numbers.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = retention_days
    return group


def send_log(function: lambda_.Function, group: logs.ILogGroup) -> None:
    """Make a function that CDK created write into `group` and not into a group of its own."""
    function.node.try_remove_child("LogGroup")
    send_log_of(cast("cdk.CfnResource", function.node.default_child), group)


def send_log_of(function: cdk.CfnResource, group: logs.ILogGroup) -> None:
    """The same for a function that CDK creates as a plain CloudFormation resource."""
    function.add_property_override("LoggingConfig.LogGroup", group.log_group_name)


def deny_new_log_groups() -> iam.PolicyStatement:
    """Outranks the managed policies of CDK's functions: a late line cannot create a group that the stack deleted."""
    return iam.PolicyStatement(
        sid="DenyNewLogGroups", effect=iam.Effect.DENY, actions=["logs:CreateLogGroup"], resources=["*"]
    )
