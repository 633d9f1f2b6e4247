"""The AWS managed policies of the stack's roles, with their actions: the template has only their ARNs.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html , a page for each. AWS may
change them; version and date are those of the page that was read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.template.synthesis import plain, resources

_PREFIX = "arn:${AWS::Partition}:iam::aws:policy/service-role/"
_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
ACTIONS = {
    # v1, April 2015
    "AWSLambdaBasicExecutionRole": _LOG,
    # v3, January 2024
    "AWSLambdaVPCAccessExecutionRole": (
        *_LOG,
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ),
}
"""The allowed policies, each with its actions; the resource is `*`."""


def managed(name: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Role, policy name and statement of each managed policy. A KeyError for a policy that is not listed."""
    for role_id, role in resources(name, "AWS::IAM::Role").items():
        for arn in role["Properties"].get("ManagedPolicyArns", []):
            policy = plain(arn).removeprefix(_PREFIX)
            yield role_id, policy, {"Effect": "Allow", "Action": [*ACTIONS[policy]], "Resource": "*"}
