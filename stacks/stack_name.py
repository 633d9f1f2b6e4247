"""What a stack is called in CloudFormation. Pure, and without CDK, whose import takes seconds."""

import hashlib

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings

_STACK_NAME_LIMIT = 128


def stack_name(settings: Settings) -> str:
    """The same for the same namespace of the same cluster, so that two environments never meet in one stack.

    Raises:
        SettingsError: It is too long for CloudFormation.
    """
    cluster, namespace = settings.cluster.name, settings.cluster.namespace
    # Stack names know no underscore, cluster names do.
    name = f"ecr-frontdoor-{cluster}-{namespace}".replace("_", "-")
    if "_" in cluster or "-" in namespace:  # `a_b` and `a-b`, or `a-b` with `c` and `a` with `b-c`, would be one name
        name += f"-{hashlib.sha256(f'{cluster}/{namespace}'.encode()).hexdigest()[:6]}"
    if len(name) > _STACK_NAME_LIMIT:
        raise SettingsError(
            f"the stack would be called {name}, {len(name)} characters, and CloudFormation allows {_STACK_NAME_LIMIT}: "
            "shorten cluster.namespace"
        )
    return name
