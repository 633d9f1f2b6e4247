"""The permission by which a rule of EventBridge invokes its function."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_


def name_after_rule(rule: events.Rule) -> None:
    """Give the permission of the rule's one function a logical id that follows from the rule's.

    CDK makes it of the function's whole path, with the name of the stack in the app: that is the name of a settings
    file, and a file that is renamed or moves into a folder would replace the permission.
    """
    (permission,) = (child for child in rule.node.children if isinstance(child, lambda_.CfnPermission))
    resource = cast("cdk.CfnResource", rule.node.default_child)
    permission.override_logical_id(f"{cdk.Stack.of(rule).get_logical_id(resource)}Permission")
