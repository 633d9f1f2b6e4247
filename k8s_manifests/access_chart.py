"""The objects that an administrator applies: the namespace, the rights of the stack's groups, and the network access.

docs/rbac.md gives the reason for each verb.
"""

from collections.abc import Mapping, Sequence

from cdk8s import Chart
from constructs import Construct
from lightkube.core.resource import Resource
from lightkube.models.rbac_v1 import PolicyRule, RoleRef, Subject
from lightkube.resources.core_v1 import Namespace
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from k8s_manifests.deployer import deployer_access
from k8s_manifests.exposures import exposure_of, place_of
from k8s_manifests.objects import Place, add
from k8s_manifests.policy import network_policy
from k8s_manifests.service import service
from k8s_manifests.service_monitor import service_monitor
from lambda_fn.contract.objects import catalogue_config_maps, hints_config_map, refresher_role, watcher_role
from lambda_fn.settings.models import Settings
from lambda_fn.settings.names import Names
from lambda_fn.settings.page import Page


class AccessChart(Chart):
    """Namespace; Role and RoleBinding of each Lambda and, where it is not an administrator, of kubectl; network access.

    The network access is the NetworkPolicy, the Service, the ServiceMonitor where the settings ask for one, and the
    exposure's own objects, such as an Ingress. A right to write Services or Ingresses reaches beyond the namespace: it
    can open a load balancer to the internet or take the host of another team. So an administrator applies them,
    together with the rights.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - constructs name it so
        *,
        settings: Settings,
        deployed: Sequence[Resource],
    ) -> None:
        """Define them.

        Args:
            scope: The parent.
            id: The id in it.
            settings: All settings.
            deployed: What kubectl applies with the rights that are granted here; none where it is an administrator.
        """
        super().__init__(scope, id, disable_resource_name_hashes=True)
        add(self, _access_objects(settings, deployed))


def _access_objects(settings: Settings, deployed: Sequence[Resource]) -> list[Resource]:
    place = place_of(settings)
    exposure = exposure_of(settings)
    return [
        namespace(place, exposure.namespace_labels),
        role(place, settings.names),
        role_binding(place, refresher_role(place.workload), settings.refresher_group),
        *(
            _watcher_access(place, settings.watcher_group, _written(place, settings.page))
            if settings.has_watcher
            else []
        ),
        *(deployer_access(place, deployed) if deployed else []),
        network_policy(place, exposure.openings, monitoring_namespace=settings.proxy.monitoring_namespace),
        service(place, exposure.service_ports),
        *(service_monitor(place) if settings.proxy.scrape == "servicemonitor" else []),
        *exposure.access_objects,
    ]


def namespace(place: Place, extra_labels: Mapping[str, str]) -> Namespace:
    """A namespace that refuses every pod below Pod Security `restricted`, so a change cannot weaken the proxy."""
    modes = ("enforce", "audit", "warn")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    meta = place.unnamed_metadata()
    meta.name, meta.labels = place.namespace, place.labels | security | dict(extra_labels)
    return Namespace(metadata=meta)


def role(place: Place, names: Names) -> Role:
    """The verbs of one refresh.

    `create`, `list` and the logs of pods cannot be limited by name: the name is not part of such a request, or is
    generated. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
    """
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
    return Role(metadata=place.metadata(refresher_role(place.workload)), rules=rules)


def _written(place: Place, page: Page) -> list[str]:
    """The ConfigMaps of the watcher."""
    catalogue = catalogue_config_maps(place.workload).values() if page.catalogue else ()
    return [hints_config_map(place.workload), *catalogue]


def _watcher_access(place: Place, group: str, written: list[str]) -> list[Resource]:
    """What the watcher reads and writes: no Secret, and nothing that starts a pod."""
    name = watcher_role(place.workload)
    rules = [
        PolicyRule(apiGroups=[""], resources=["configmaps"], verbs=["get", "patch"], resourceNames=written),
        PolicyRule(apiGroups=[""], resources=["configmaps"], verbs=["create"]),
    ]
    return [Role(metadata=place.metadata(name), rules=rules), role_binding(place, name, group)]


def role_binding(place: Place, role_name: str, group: str) -> RoleBinding:
    """A Role for the group of an access entry."""
    rbac = "rbac.authorization.k8s.io"
    return RoleBinding(
        metadata=place.metadata(role_name),
        roleRef=RoleRef(apiGroup=rbac, kind="Role", name=role_name),
        subjects=[Subject(kind="Group", name=group, apiGroup=rbac)],
    )
