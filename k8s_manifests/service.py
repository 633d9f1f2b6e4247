"""The Service in front of the pods, the same for every exposure but for its ports."""

from collections.abc import Mapping

from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.resources.core_v1 import Service

from k8s_manifests.objects import Place


def service(place: Place, ports: Mapping[str, int]) -> Service:
    """The Service with the ports, each of which leads to the container port of its name."""
    return Service(
        metadata=place.metadata(),
        spec=ServiceSpec(
            type="ClusterIP",
            selector=place.selector_labels,
            ports=[ServicePort(name=name, port=port, targetPort=name, protocol="TCP") for name, port in ports.items()],
        ),
    )
