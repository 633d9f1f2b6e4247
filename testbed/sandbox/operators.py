"""The operators' IAM role, with the rights that docs/operations.md requires of a laptop that runs the doctor."""

import json
from collections.abc import Iterator
from typing import Any

from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World

_GROUP = "platform:operators"
_API = "rbac.authorization.k8s.io"
_RULES = [
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    {"apiGroups": [_API], "resources": ["roles", "rolebindings"], "verbs": ["get"]},
    {"apiGroups": ["elbv2.k8s.aws", "eks.amazonaws.com"], "resources": ["targetgroupbindings"], "verbs": ["get"]},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes", "tlsroutes"], "verbs": ["get"]},
]


def role_arn(world: World) -> str:
    """The operators' role."""
    return f"arn:aws:iam::{world.account}:role/platform-engineer"


def grant(world: World) -> str:
    """Give the operators' role an access entry, and rights in the namespace; returns its ARN.

    The authenticator reads the entry some seconds later.

    Raises:
        SandboxError: The API server refuses the rights.
    """
    for one in rights(world.namespace):
        kubectl_apply(json.dumps(one))
    grant_access(world, role_arn(world), [_GROUP])
    return role_arn(world)


def revoke(world: World) -> None:
    """Delete the access entry; the rights stay without a holder."""
    revoke_access(world, role_arn(world))


def rights(namespace: str) -> Iterator[dict[str, Any]]:
    """What the operators' group may do in a namespace: read what `view` shows, and what `_RULES` adds."""
    place = {"name": "operators", "namespace": namespace}
    yield {"apiVersion": f"{_API}/v1", "kind": "Role", "metadata": place, "rules": _RULES}
    for kind, name in (("ClusterRole", "view"), ("Role", "operators")):
        yield {
            "apiVersion": f"{_API}/v1",
            "kind": "RoleBinding",
            "metadata": place | {"name": f"operators-{name}"},
            "roleRef": {"apiGroup": _API, "kind": kind, "name": name},
            "subjects": [{"kind": "Group", "name": _GROUP, "apiGroup": _API}],
        }
