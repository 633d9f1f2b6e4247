"""AWS's own policies that roles of the stack have: what the template names by its ARN alone, written out.

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
"""The policies that are permitted, each with all that it allows, on `*`."""


def managed(name: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each role with each of its managed policies: its name, and its statement. A KeyError for one not listed."""
    for role_id, role in resources(name, "AWS::IAM::Role").items():
        for arn in role["Properties"].get("ManagedPolicyArns", []):
            policy = plain(arn).removeprefix(_PREFIX)
            yield role_id, policy, {"Effect": "Allow", "Action": [*ACTIONS[policy]], "Resource": "*"}
