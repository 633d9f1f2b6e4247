"""The nginx workload: what a deployment may change without asking an administrator of the cluster."""

from cdk8s import Chart
from constructs import Construct
from lightkube.core.resource import Resource

from k8s_manifests.configuration import scripts_config_map, template_config_map
from k8s_manifests.load_balancer import target_group_binding
from k8s_manifests.objects import add
from k8s_manifests.policy import disruption_budget
from k8s_manifests.workload import deployment
from lambda_fn.settings import Settings


class ProxyChart(Chart):
    """ConfigMaps, PodDisruptionBudget, TargetGroupBinding where there is a target group, and the Deployment."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - constructs name it so
        *,
        settings: Settings,
        target_group_arn: str | None,
    ) -> None:
        super().__init__(scope, id, disable_resource_name_hashes=True)
        add(self, proxy_objects(settings, target_group_arn=target_group_arn))


def proxy_objects(settings: Settings, *, target_group_arn: str | None) -> list[Resource]:
    """The objects, in an order that can be applied."""
    return [
        template_config_map(settings),
        scripts_config_map(settings),
        disruption_budget(settings),
        # Before the pods: the controller gives its readiness gate to new pods of a Service that is bound already.
        *target_group_binding(settings, target_group_arn),
        deployment(settings),
    ]
