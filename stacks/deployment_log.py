"""Where CDK's own functions write: kubectl, CloudFormation's way to it, and its way to the first run."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_fn.settings import Settings


def deployment_log(scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None) -> logs.LogGroup:
    """One log group for all of them, which goes with the stack: what failed is in CloudFormation's events, too.

    Without it Lambda would make one for each, without retention or key, and leave it behind.
    """
    group = logs.LogGroup(scope, construct_id, removal_policy=cdk.RemovalPolicy.DESTROY, encryption_key=key)
    # The L2 takes only the names of an enum; the settings hold CloudWatch's own numbers.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = settings.refresh.log_retention_days
    return group


def send_log(function: lambda_.Function, group: logs.ILogGroup) -> None:
    """Have a function that CDK made write into `group` and not into the one CDK made for it."""
    function.node.try_remove_child("LogGroup")
    send_log_of(cast("cdk.CfnResource", function.node.default_child), group)


def send_log_of(function: cdk.CfnResource, group: logs.ILogGroup) -> None:
    """The same for a function that CDK makes without its own construct."""
    function.add_property_override("LoggingConfig.LogGroup", group.log_group_name)


def no_other_log() -> iam.PolicyStatement:
    """Outranks CDK's managed policies: a line that arrives when the log is gone makes no new one."""
    return iam.PolicyStatement(
        sid="NoOtherLog", effect=iam.Effect.DENY, actions=["logs:CreateLogGroup"], resources=["*"]
    )
