"""How CloudFormation deploys the stack, as an operator sets it for an account with guard-rails. Pure."""

from typing import Annotated

from pydantic import Field

from lambda_fn.settings.fields import BootstrapQualifier, PermissionsBoundary, StackName, TagKey, TagValue
from lambda_fn.settings.table import NO_OTHER_KEYS, Table

_TAGS_LIMIT = 50
"""Of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html"""


class Deployment(Table):
    """How CloudFormation deploys the stack. The Lambda does not read it."""

    stack_name: StackName | None = None
    """The name of the stack. By default `ecr-frontdoor-`, the cluster and the namespace. Set it before the first
    deployment: a change later makes a second stack. With it, another `cluster.name` or `cluster.namespace` leaves the
    old objects where they were: docs/operations.md, "Change the exposure, or names".
    """
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=_TAGS_LIMIT, json_schema_extra=NO_OTHER_KEYS)] = Field(
        default_factory=dict
    )
    """Tags of the stack, at most 50. CloudFormation gives them to every resource that takes tags."""
    permissions_boundary: PermissionsBoundary | None = None
    """The permissions boundary of every role in the stack, those of CDK's own functions included: the name or the ARN
    of a managed policy. It has to allow what docs/permissions.md lists.
    """
    bootstrap_qualifier: BootstrapQualifier | None = None
    """The qualifier of `cdk bootstrap --qualifier`, where your account uses another one than CDK's default."""
