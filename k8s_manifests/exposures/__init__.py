"""The ways to reach the proxy, one module for each `proxy.exposure.kind`.

A new kind is a table in `lambda_fn/settings/exposure.py`, a module here, and its line in `exposure_of`.
"""

from k8s_manifests.exposures import ingress, nlb, pod, service
from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.objects import Place
from lambda_fn.settings.exposure import IngressExposure, NlbExposure, PodExposure, ServiceExposure
from lambda_fn.settings.models import Settings

__all__ = ["Exposure", "exposure_of"]


def exposure_of(settings: Settings, *, target_group_arn: str | None = None) -> Exposure:
    """The exposure that the settings choose.

    Args:
        settings: All of them; a kind gets the values it needs.
        target_group_arn: The stack's target group, where it is known; by default the one in the settings.
    """
    place = Place(settings.cluster.namespace, settings.names.workload)
    clients = settings.proxy.client_cidrs
    match table := settings.proxy.exposure:
        case IngressExposure():
            return ingress.exposure(table, place=place, domain=settings.domain, clients=clients)
        case NlbExposure():
            return nlb.exposure(table, place=place, clients=clients, target_group_arn=target_group_arn)
        case PodExposure():
            return pod.exposure(table, clients=clients)
        case ServiceExposure():
            return service.exposure(clients=clients)
