"""The Service in front of the pods, the same for every exposure but for its ports."""

from collections.abc import Mapping

from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.resources.core_v1 import Service

from k8s_manifests.objects import Place


def service(place: Place, ports: Mapping[str, int]) -> Service:
    """The Service with the ports, each of which leads to the container port of its name.

    Clients in the cluster reach the pods of their own zone while it has some, which costs no traffic between zones. The
    value is known from Kubernetes 1.34 on; PreferClose is its older name.
    https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
    """
    return Service(
        metadata=place.metadata(),
        spec=ServiceSpec(
            type="ClusterIP",
            trafficDistribution="PreferSameZone",
            selector=place.selector_labels,
            ports=[ServicePort(name=name, port=port, targetPort=name, protocol="TCP") for name, port in ports.items()],
        ),
    )
