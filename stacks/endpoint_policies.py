"""What VPC endpoints let pass. A policy of an endpoint grants nothing: IAM has to allow the same call, too. Pure."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from lambda_fn.contract.registries import layer_buckets
from lambda_fn.settings import Settings

_FEDERATED = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
"""Made without credentials, so that their caller is of no account: what counts is whose role they ask for."""


def own_principals(scope: Construct, settings: Settings, *, service: str) -> dict[str, Any]:
    """Everything of an interface's service, for the principals of the accounts that are ours and nobody else's.

    No fewer actions: with private DNS the whole VPC uses the endpoint, to push and to write logs as well as to pull.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interface-vpc-endpoints.html , and alike for each service
    """
    accounts = [cdk.Aws.ACCOUNT_ID, *settings.endpoints.accounts]
    name = service.split(".", maxsplit=1)[0]
    statements = [
        _statement("OurAccounts", [f"{name}:*"], ["*"], {"StringEquals": {"aws:PrincipalAccount": accounts}}),
        # AWS's own services, where they act in the VPC in their own name and not in that of a role.
        _statement("Services", [f"{name}:*"], ["*"], {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ]
    if service == "sts":
        partition = cdk.Stack.of(scope).partition
        roles = [f"arn:{partition}:iam::{account}:role/*" for account in accounts]
        statements.append(_statement("OurRoles", _FEDERATED, roles))
    return _policy(statements)


def layers_only(scope: Construct, settings: Settings) -> dict[str, Any]:
    """Reading ECR's layers in this region, and the answers of kubectl to CloudFormation; nothing else of S3.

    What comes here was signed by ECR or CloudFormation: the principal is theirs, and only the object is ours to name.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
    """
    region = settings.cluster.region
    layers = _objects(scope, *layer_buckets(region))
    statements = [_statement("Layers", "s3:GetObject", layers)]
    if settings.manifests != "external":
        buckets = [f"cloudformation-custom-resource-response-{name}" for name in (region, region.replace("-", ""))]
        statements.append(_statement("AnswerCloudFormation", "s3:PutObject", _objects(scope, *buckets)))
    return _policy(statements)


def _objects(scope: Construct, *buckets: str) -> list[str]:
    return [f"arn:{cdk.Stack.of(scope).partition}:s3:::{bucket}/*" for bucket in buckets]


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(
    sid: str, action: str | list[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    found = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resources}
    return found | ({"Condition": condition} if condition else {})
