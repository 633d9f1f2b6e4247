"""Acknowledges findings of cdk-nag, each with its reason, in the module that defines its construct."""

from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding, such as `AwsSolutions-L1`, for a construct and its children."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def acknowledge_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Accept one resource with a `*` in the policies of a construct and its children."""
    text = _as_nag_writes(cdk.Stack.of(construct).resolve(resource))
    acknowledge(construct, f"AwsSolutions-IAM5[Resource::{text}]", reason)


def _as_nag_writes(value: Any) -> str:  # noqa: ANN401 - a resolved CloudFormation value
    """A resolved value as cdk-nag writes it in a finding: `<AWS::AccountId>` for a reference."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_as_nag_writes, parts))
        case _:
            return str(value)
