"""The namespace, what the stack's groups may do in it, and who in the network gets in.

docs/rbac.md gives the reason for each verb.
"""

from cdk8s import Chart
from constructs import Construct
from lightkube.core.resource import Resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.rbac_v1 import PolicyRule, RoleRef, Subject
from lightkube.resources.core_v1 import Namespace
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from k8s_manifests.deployer import deployer_access
from k8s_manifests.exposure import ingress, service
from k8s_manifests.load_balancer import readiness_gate
from k8s_manifests.objects import add, labels, metadata
from k8s_manifests.policy import network_policy
from lambda_fn.settings import Settings


class AccessChart(Chart):
    """Namespace; a Role with its RoleBinding for the Lambda and, where it is no administrator, for kubectl; the way in.

    The way in is NetworkPolicy, Service and Ingress. Whoever may write a Service or an Ingress can open a load balancer
    to the internet or take another team's host: their reach does not end at the namespace, so it is an administrator
    who applies them, as with rights.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:  # noqa: A002 - constructs name it so
        super().__init__(scope, id, disable_resource_name_hashes=True)
        refresher: list[Resource] = [role(settings), role_binding(settings)]
        way_in = [network_policy(settings), service(settings), *ingress(settings)]
        add(self, [namespace(settings), *refresher, *deployer_access(settings), *way_in])


def namespace(settings: Settings) -> Namespace:
    """A namespace that refuses any pod below Pod Security `restricted`, so nobody weakens the proxy by accident."""
    modes = ("enforce", "audit", "warn")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return Namespace(
        metadata=ObjectMeta(
            name=settings.cluster.namespace, labels=labels(settings) | security | readiness_gate(settings)
        )
    )


def role(settings: Settings) -> Role:
    """The verbs of one refresh.

    `create`, `list` and the logs of pods cannot be limited by name: the name is not part of such a request, or is
    generated. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
    """
    names = settings.names
    rules = [
        PolicyRule(apiGroups=[""], resources=["configmaps"], verbs=["get"], resourceNames=[names.template_config_map]),
        PolicyRule(apiGroups=[""], resources=["configmaps"], verbs=["get", "patch"], resourceNames=[names.config_map]),
        PolicyRule(apiGroups=[""], resources=["secrets"], verbs=["get", "patch"], resourceNames=[names.secret]),
        PolicyRule(apiGroups=[""], resources=["configmaps", "secrets"], verbs=["create"]),
        PolicyRule(
            apiGroups=["apps"], resources=["deployments"], verbs=["get", "patch"], resourceNames=[names.workload]
        ),
        PolicyRule(apiGroups=[""], resources=["pods"], verbs=["list"]),
        PolicyRule(apiGroups=[""], resources=["pods/log"], verbs=["get"]),
    ]
    return Role(metadata=metadata(settings, _role_name(settings)), rules=rules)


def role_binding(settings: Settings) -> RoleBinding:
    """The Role for the group that the Lambda's access entry carries."""
    rbac = "rbac.authorization.k8s.io"
    return RoleBinding(
        metadata=metadata(settings, _role_name(settings)),
        roleRef=RoleRef(apiGroup=rbac, kind="Role", name=_role_name(settings)),
        subjects=[Subject(kind="Group", name=settings.refresher_group, apiGroup=rbac)],
    )


def _role_name(settings: Settings) -> str:
    return f"{settings.names.workload}-refresher"
