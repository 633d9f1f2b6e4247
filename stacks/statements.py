"""What more than one role of the stack may do: the Lambda's and kubectl's."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_fn.settings import Settings


def describe_cluster(scope: Construct, settings: Settings) -> iam.PolicyStatement:
    """Reading one cluster's endpoint and CA."""
    arn = cdk.Stack.of(scope).format_arn(service="eks", resource="cluster", resource_name=settings.cluster.name)
    return iam.PolicyStatement(sid="ReadTheCluster", actions=["eks:DescribeCluster"], resources=[arn])


def write_log(sid: str, log_group: logs.ILogGroup) -> iam.PolicyStatement:
    """Writing into one log group, which has to be there: its role cannot make it."""
    # The attribute ends in `:*`, which stands for the group's streams.
    return iam.PolicyStatement(
        sid=sid, actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
