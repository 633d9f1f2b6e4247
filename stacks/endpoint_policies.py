"""The policies of VPC endpoints. They only restrict: IAM must allow the same call as well. Pure."""

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from lambda_fn.contract.registries import layer_buckets
from stacks import ecr_actions

_FEDERATED = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
"""Calls without credentials: they belong to no account, so the policy checks the role that they request."""


def allowed_principals(
    scope: Construct,
    service: str,
    *,
    cluster_name: str,
    all_actions: bool,
    imports: bool,
    shared_accounts: Iterable[str],
) -> dict[str, Any]:
    """What the front door and the nodes use of an interface's service, for this account and `shared_accounts` only.

    With `imports`, pulls may make ECR import images.

    With `all_actions` every action, since with private DNS the whole VPC uses the endpoint, also to push images.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interface-vpc-endpoints.html , and alike for each service
    """
    accounts = [cdk.Aws.ACCOUNT_ID, *shared_accounts]
    name = service.split(".", maxsplit=1)[0]
    actions, resources = [f"{name}:*"], ["*"]
    if not all_actions:
        actions, resources = _used(scope, cluster_name, imports=imports).get(name, (actions, resources))
    statements = [
        _statement("AllowedAccounts", actions, resources, {"StringEquals": {"aws:PrincipalAccount": accounts}}),
        # AWS services that act in the VPC under their own name and not with a role.
        _statement("AwsServices", actions, resources, {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ]
    if service == "sts":
        partition = cdk.Stack.of(scope).partition
        roles = [f"arn:{partition}:iam::{account}:role/*" for account in accounts]
        statements.append(_statement("AllowedRoles", _FEDERATED, roles))
    return _policy(statements)


def layers_only(scope: Construct, region: str, *, answers_cloudformation: bool) -> dict[str, Any]:
    """Reads of ECR's layers in this region, and kubectl's answers to CloudFormation; nothing else in S3.

    ECR or CloudFormation signed these requests, so the principal is theirs: the policy can name only the objects.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
    """
    layers = _objects(scope, *layer_buckets(region))
    statements = [_statement("ReadEcrLayers", "s3:GetObject", layers)]
    if answers_cloudformation:
        buckets = [f"cloudformation-custom-resource-response-{name}" for name in (region, region.replace("-", ""))]
        statements.append(_statement("AnswerCloudFormation", "s3:PutObject", _objects(scope, *buckets)))
    return _policy(statements)


def _used(scope: Construct, cluster_name: str, *, imports: bool) -> dict[str, tuple[list[str], list[str]]]:
    """Actions and resources by service, also for doctor and check. The load balancer's controller uses what is left."""
    stack = cdk.Stack.of(scope)
    cluster = stack.format_arn(service="eks", resource="cluster", resource_name=cluster_name)
    entries = stack.format_arn(service="eks", resource="access-entry", resource_name=f"{cluster_name}/*")
    functions, mappings = (
        stack.format_arn(
            service="lambda", resource=kind, resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        for kind in ("function", "event-source-mapping")
    )
    ecr = [*ecr_actions.PULL, *ecr_actions.DESCRIBE, *ecr_actions.LIST_REPOSITORIES, *ecr_actions.EXAMINE]
    ecr += [*ecr_actions.IMPORT, *ecr_actions.READ_CACHE_RULES] if imports else []
    function = ["lambda:InvokeFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration"]
    return {
        # Of every registry: the nodes pull the images of EKS from other accounts.
        "ecr": (["ecr:GetAuthorizationToken", *ecr], ["*"]),
        "eks": (["eks:DescribeCluster", "eks:DescribeAccessEntry"], [cluster, entries]),
        "lambda": ([*function, "lambda:GetEventSourceMapping"], [functions, mappings]),
    }


def _objects(scope: Construct, *buckets: str) -> list[str]:
    return [f"arn:{cdk.Stack.of(scope).partition}:s3:::{bucket}/*" for bucket in buckets]


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(
    sid: str, action: str | list[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    found = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resources}
    return found | ({"Condition": condition} if condition else {})
