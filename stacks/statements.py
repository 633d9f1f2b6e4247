"""IAM statements that more than one role of the stack has: the Lambda's and kubectl's."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


def describe_cluster(scope: Construct, cluster_name: str) -> iam.PolicyStatement:
    """Reads one cluster's endpoint and CA."""
    arn = cdk.Stack.of(scope).format_arn(service="eks", resource="cluster", resource_name=cluster_name)
    return iam.PolicyStatement(sid="DescribeCluster", actions=["eks:DescribeCluster"], resources=[arn])


def write_log(log_group: logs.ILogGroup) -> iam.PolicyStatement:
    """Writes into one log group, which must exist: the role cannot create it."""
    # The attribute ends in `:*`, the streams of the group.
    return iam.PolicyStatement(
        sid="WriteLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
