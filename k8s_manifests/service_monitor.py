"""How the Prometheus operator finds the pods: a Service of the metrics' port alone, and a ServiceMonitor of it.

https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor
"""

from lightkube.core.resource import Resource
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.resources.core_v1 import Service

from k8s_manifests.objects import Place
from lambda_fn.contract.paths import METRICS, METRICS_PATH, METRICS_PORT

_GROUP, _VERSION = "monitoring.coreos.com", "v1"
_ServiceMonitor = create_namespaced_resource(_GROUP, _VERSION, "ServiceMonitor", "servicemonitors")


def service_monitor(place: Place) -> list[Resource]:
    """Both objects. The clients' Service has the same labels and no port of this name, so it is not scraped."""
    name = f"{place.workload}-{METRICS}"
    spec = {
        "selector": {"matchLabels": place.selector_labels},
        "endpoints": [{"port": METRICS, "path": METRICS_PATH}],
    }
    monitor = _ServiceMonitor(
        apiVersion=f"{_GROUP}/{_VERSION}", kind="ServiceMonitor", metadata=place.metadata(name), spec=spec
    )
    return [_service(place, name), monitor]


def _service(place: Place, name: str) -> Service:
    """Headless: it only lists the pods, also those that are not ready."""
    return Service(
        metadata=place.metadata(name),
        spec=ServiceSpec(
            clusterIP="None",
            publishNotReadyAddresses=True,
            selector=place.selector_labels,
            ports=[ServicePort(name=METRICS, port=METRICS_PORT, targetPort=METRICS, protocol="TCP")],
        ),
    )
