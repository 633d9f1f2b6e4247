"""The ways to reach the proxy, one module for each `proxy.exposure.kind`.

A new kind is a table in `lambda_fn/settings/exposure.py`, a module here, and its line in `exposure_of`.
"""

from collections.abc import Iterable
from ipaddress import ip_network

from k8s_manifests.exposures import gateway, ingress, nlb, pod, service
from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.exposures.target_groups import UNKNOWN, TargetGroups
from k8s_manifests.objects import Place
from lambda_fn.settings.exposure import GatewayExposure, IngressExposure, NlbExposure, PodExposure, ServiceExposure
from lambda_fn.settings.models import Settings

__all__ = ["UNKNOWN", "Exposure", "TargetGroups", "exposure_of", "place_of"]


def place_of(settings: Settings) -> Place:
    """Where the objects of the settings are, those of an exposure and all others."""
    proxy = settings.proxy
    return Place(settings.cluster.namespace, settings.names.workload, proxy.labels, proxy.annotations)


def exposure_of(settings: Settings, *, target_groups: TargetGroups = UNKNOWN) -> Exposure:
    """The exposure that the settings choose.

    Args:
        settings: All of them; a kind gets the values it needs.
        target_groups: The stack's target groups, where they are known; by default those in the settings.
    """
    place, table = place_of(settings), settings.proxy.exposure
    clients = settings.proxy.client_cidrs
    sources = _with_proxies(clients, table.proxies)
    match table:
        case GatewayExposure():
            return gateway.exposure(table, place=place, domain=settings.domain, sources=sources)
        case IngressExposure():
            return ingress.exposure(table, place=place, domain=settings.domain, sources=sources)
        case NlbExposure():
            return nlb.exposure(table, place=place, clients=clients, target_groups=target_groups)
        case PodExposure():
            return pod.exposure(table, sources=sources)
        case ServiceExposure():
            return service.exposure(sources=sources)


def _with_proxies(clients: tuple[str, ...], proxies: Iterable[str]) -> tuple[str, ...]:
    """The clients' ranges, and those of the proxies outside of them: it is the proxy that connects to nginx."""
    return (*clients, *(proxy for proxy in proxies if not any(_holds(client, proxy) for client in clients)))


def _holds(outer: str, inner: str) -> bool:
    """Whether a network range holds all of another one."""
    found, around = ip_network(inner), ip_network(outer)
    return found.network_address in around and found.prefixlen >= around.prefixlen
