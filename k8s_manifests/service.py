"""The Service in front of the pods, the same for every exposure but for its port."""

from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.resources.core_v1 import Service

from k8s_manifests.objects import Place


def service(place: Place, *, port: int, port_name: str) -> Service:
    """The Service with one port, which leads to the container port of the same name."""
    return Service(
        metadata=place.metadata(),
        spec=ServiceSpec(
            type="ClusterIP",
            selector=place.selector_labels,
            ports=[ServicePort(name=port_name, port=port, targetPort=port_name, protocol="TCP")],
        ),
    )
