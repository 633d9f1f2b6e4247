"""The ECR repositories that the settings name, as IAM has them."""

import re

import aws_cdk as cdk
from constructs import Construct

from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.settings import Settings


def open_repositories(scope: Construct, settings: Settings) -> list[str]:
    """The ARNs of the allow-list, a `*` where it has one."""
    return [
        _arn(scope, account=registry.account, region=registry.region, repository=pattern)
        for registry in settings.registries
        for pattern in registry.repositories
    ]


def proxy_image(scope: Construct, settings: Settings) -> str | None:
    """The ARN of the repository of the proxy's image, None where that is no ECR's."""
    host, _, path = settings.proxy.image.partition("/")
    registry = ECR_HOST.fullmatch(host)
    if not registry:
        return None
    repository = re.split("[:@]", path)[0]
    return _arn(scope, account=registry["account"], region=registry["region"], repository=repository)


def _arn(scope: Construct, *, account: str, region: str, repository: str) -> str:
    return RepositoryPattern(repository).arn(partition=cdk.Stack.of(scope).partition, region=region, account=account)
