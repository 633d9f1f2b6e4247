"""The objects that a deployment may change without an administrator of the cluster."""

from cdk8s import Chart
from constructs import Construct
from lightkube.core.resource import Resource

from k8s_manifests.configuration import scripts_config_map, template_config_map
from k8s_manifests.exposures import TargetGroups, exposure_of, place_of
from k8s_manifests.objects import add
from k8s_manifests.page_files import page_config_maps
from k8s_manifests.policy import disruption_budget
from k8s_manifests.volumes import volumes
from k8s_manifests.workload import deployment
from lambda_fn.contract.objects import hints_config_map
from lambda_fn.settings.models import Settings


class ProxyChart(Chart):
    """ConfigMaps, PodDisruptionBudget, the exposure's own objects (such as a TargetGroupBinding) and the Deployment."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - constructs name it so
        *,
        settings: Settings,
        target_groups: TargetGroups,
    ) -> None:
        super().__init__(scope, id, disable_resource_name_hashes=True)
        add(self, proxy_objects(settings, target_groups=target_groups))


def proxy_objects(settings: Settings, *, target_groups: TargetGroups) -> list[Resource]:
    """The objects, in an order that can be applied."""
    names, place = settings.names, place_of(settings)
    exposure = exposure_of(settings, target_groups=target_groups)
    return [
        template_config_map(place, names.template_config_map),
        scripts_config_map(place, names.scripts_config_map),
        *page_config_maps(place, domain=settings.domain, contact=settings.contact, page=settings.page),
        disruption_budget(place),
        # Before the pods: the controller adds its readiness gate to new pods of a Service that is bound already.
        *exposure.proxy_objects,
        deployment(
            place,
            proxy=settings.proxy,
            volumes=volumes(
                names,
                settings.proxy.cache,
                settings.page,
                tls_secret=settings.proxy.pod_tls_secret,
                hints=hints_config_map(names.workload) if settings.watcher.deletions else None,
                claim=place.unnamed_metadata(),
            ),
            pull_secret=names.secret,
            exposure=exposure,
            progress_deadline_seconds=settings.refresh.rollout_timeout_seconds,
        ),
    ]
