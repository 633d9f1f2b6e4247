"""The ARNs of the ECR repositories that the settings name. Pure."""

import re
from collections.abc import Iterable

from lambda_fn.contract.registries import ECR_HOST, partition_of
from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.settings.registry import Registry


def allowed_repositories(registries: Iterable[Registry]) -> list[str]:
    """The ARNs of the allow-list, by ECR's names; a `*` in a pattern is a `*` in its ARN."""
    arns = (
        _arn(account=registry.account, region=registry.region, repository=route.ecr_pattern)
        for registry in registries
        for route in registry.routes
    )
    return list(dict.fromkeys(arns))


def imported_repositories(registries: Iterable[Registry]) -> list[str]:
    """The ARNs of the allow-list's repositories that ECR may fill from a public registry."""
    return allowed_repositories(registry for registry in registries if registry.pull_through)


def all_repositories(registries: Iterable[Registry]) -> list[str]:
    """One ARN for each registry: of everything in it."""
    places = dict.fromkeys((registry.account, registry.region) for registry in registries)
    return [_arn(account=account, region=region, repository="*") for account, region in places]


def image_repository(image: str) -> str | None:
    """The ARN of an image's repository, None for an image that is not in ECR."""
    host, _, path = image.partition("/")
    registry = ECR_HOST.fullmatch(host)
    if not registry:
        return None
    repository = re.split("[:@]", path)[0]
    return _arn(account=registry["account"], region=registry["region"], repository=repository)


def _arn(*, account: str, region: str, repository: str) -> str:
    return RepositoryPattern(repository).arn(partition=partition_of(region).name, region=region, account=account)
