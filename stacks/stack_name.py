"""The name of the stack in CloudFormation. Pure, and without CDK, whose import takes seconds."""

import hashlib

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.models import Settings

_STACK_NAME_LIMIT = 128


def stack_name(settings: Settings) -> str:
    """The operator's name, or one for each namespace of each cluster, so that two environments never share a stack.

    Raises:
        SettingsError: The name is too long for CloudFormation.
    """
    if settings.deployment.stack_name:
        return settings.deployment.stack_name
    cluster = settings.cluster
    # A stack name cannot have an underscore, a cluster name can.
    name = f"ecr-frontdoor-{cluster.name}-{cluster.namespace}".replace("_", "-")
    # `a_b` and `a-b`, or `a-b` with `c` and `a` with `b-c`, would otherwise have one name.
    if "_" in cluster.name or "-" in cluster.namespace:
        name += f"-{hashlib.sha256(f'{cluster.name}/{cluster.namespace}'.encode()).hexdigest()[:6]}"
    if len(name) > _STACK_NAME_LIMIT:
        raise SettingsError(
            f"cluster.namespace = {cluster.namespace} with cluster.name = {cluster.name}: the stack name {name} would "
            f"have {len(name)} characters, and CloudFormation allows {_STACK_NAME_LIMIT}. Fix: set "
            "deployment.stack_name"
        )
    return name
