"""The rights of the deployment's kubectl where it is not an administrator (`manifests = "namespaced"`)."""

from collections.abc import Iterable

from lightkube.core.resource import Resource, api_info
from lightkube.models.rbac_v1 import PolicyRule, RoleRef, Subject
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from k8s_manifests.objects import Place
from lambda_fn.contract.objects import deployer_group, deployer_role

_RBAC = "rbac.authorization.k8s.io"


def deployer_access(place: Place, objects: Iterable[Resource]) -> list[Resource]:
    """The Role and RoleBinding of that group, for these objects and no others."""
    return [_role(place, objects), _role_binding(place)]


def _role(place: Place, objects: Iterable[Resource]) -> Role:
    """`kubectl apply` reads an object, then creates or patches it; `kubectl delete` deletes it.

    It may read its own Role, so that a deployment can check whether an administrator has applied all this.
    """
    name = deployer_role(place.workload)
    own = PolicyRule(apiGroups=[_RBAC], resources=["roles"], resourceNames=[name], verbs=["get"])
    rules = [
        rule
        for (group, resource), names in _names(objects).items()
        for rule in (
            PolicyRule(apiGroups=[group], resources=[resource], resourceNames=names, verbs=["get", "patch", "delete"]),
            # RBAC cannot limit `create` by name.
            PolicyRule(apiGroups=[group], resources=[resource], verbs=["create"]),
        )
    ]
    return Role(metadata=place.metadata(name), rules=[*rules, own])


def _names(objects: Iterable[Resource]) -> dict[tuple[str, str], list[str]]:
    """The names of the objects by API group and resource."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in objects:
        info = api_info(item)
        found.setdefault((info.resource.group, info.plural), []).append(item.metadata.name)  # type: ignore[attr-defined]  # every object has it
    return found


def _role_binding(place: Place) -> RoleBinding:
    name = deployer_role(place.workload)
    return RoleBinding(
        metadata=place.metadata(name),
        roleRef=RoleRef(apiGroup=_RBAC, kind="Role", name=name),
        subjects=[Subject(kind="Group", name=deployer_group(place.namespace), apiGroup=_RBAC)],
    )
