"""IAM's limits for the policies of a role, and how many managed ones an allow-list takes. Pure.

This is without CDK, whose import takes seconds.
"""

from collections.abc import Callable, Sequence

from lambda_fn.settings.registry import Registry, replicas_as_registries
from stacks import allow_list_parts
from stacks.repositories import allowed_repositories, imported_repositories

POLICY_LIMIT = 10_240
"""Characters in the inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
MANAGED_POLICY_LIMIT = 6_144
"""Characters in a managed policy: the same page."""
USUAL_MANAGED_POLICIES, MOST_MANAGED_POLICIES = 10, 20
"""Of a role: the default quota, and one that Service Quotas grants."""
_BESIDE, _REGISTRY = 2_200, 60
"""Characters in the inline policy for everything but the patterns, and for each registry, about."""


def managed_policies(registries: Sequence[Registry]) -> int:
    """How many managed policies the Lambda's role takes, in the order in which statements leave its inline policy.

    Near the limit of that one it may be one or two more or less. The watcher's role takes no more.

    Returns:
        More than any quota where no number of them is enough.
    """
    allowed = allowed_repositories([*registries, *replicas_as_registries(registries)])
    imported = imported_repositories(registries)
    long: list[tuple[list[str], Callable[[list[str]], list[list[str]] | None]]] = [(allowed, allow_list_parts.spared)]
    if imported:
        long += [(imported, allow_list_parts.chunks), (imported, allow_list_parts.spared)]
    left = _BESIDE + _REGISTRY * len(registries) + sum(map(allow_list_parts.size, (arns for arns, _ in long)))
    count = 0
    for arns, split in long:
        if left > POLICY_LIMIT:
            parts = split(arns)
            count += MOST_MANAGED_POLICIES + 1 if parts is None else len(parts)
            left -= allow_list_parts.size(arns)
    return count
