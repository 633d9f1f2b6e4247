"""What the deployment's kubectl may do where it is no administrator (`manifests = "namespaced"`)."""

from lightkube.core.resource import Resource, api_info
from lightkube.models.rbac_v1 import PolicyRule, RoleRef, Subject
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from k8s_manifests.objects import metadata
from k8s_manifests.proxy_chart import proxy_objects
from lambda_fn.settings import Settings

_RBAC = "rbac.authorization.k8s.io"


def deployer_group(settings: Settings) -> str:
    """The group of kubectl's access entry. Groups are the cluster's, so the namespace is in the name."""
    return f"ecr-frontdoor:deployer:{settings.cluster.namespace}"


def deployer_role_name(settings: Settings) -> str:
    """Of the Role and of its RoleBinding."""
    return f"{settings.names.workload}-deployer"


def deployer_access(settings: Settings) -> list[Resource]:
    """The Role and RoleBinding of that group; nothing where another way applies the charts."""
    if settings.manifests != "namespaced":
        return []
    return [_role(settings), _role_binding(settings)]


def _role(settings: Settings) -> Role:
    """`kubectl apply` reads an object, then creates or patches it; `kubectl delete` deletes. No other object is open.

    Its own Role it may read, so that a deployment can tell whether an administrator has applied all this.
    """
    own = PolicyRule(
        apiGroups=[_RBAC], resources=["roles"], resourceNames=[deployer_role_name(settings)], verbs=["get"]
    )
    rules = [
        rule
        for (group, resource), names in _names(settings).items()
        for rule in (
            PolicyRule(apiGroups=[group], resources=[resource], resourceNames=names, verbs=["get", "patch", "delete"]),
            # RBAC cannot limit `create` by name.
            PolicyRule(apiGroups=[group], resources=[resource], verbs=["create"]),
        )
    ]
    return Role(metadata=metadata(settings, deployer_role_name(settings)), rules=[*rules, own])


def _names(settings: Settings) -> dict[tuple[str, str], list[str]]:
    """What is in the chart: the names by API group and resource."""
    found: dict[tuple[str, str], list[str]] = {}
    # Which target group the binding names is not known yet, and does not matter.
    for item in proxy_objects(settings, target_group_arn="any"):
        info = api_info(item)
        found.setdefault((info.resource.group, info.plural), []).append(item.metadata.name)  # type: ignore[attr-defined]  # every object has it
    return found


def _role_binding(settings: Settings) -> RoleBinding:
    name = deployer_role_name(settings)
    return RoleBinding(
        metadata=metadata(settings, name),
        roleRef=RoleRef(apiGroup=_RBAC, kind="Role", name=name),
        subjects=[Subject(kind="Group", name=deployer_group(settings), apiGroup=_RBAC)],
    )
