"""The ServiceMonitor leads Prometheus to where nginx answers it."""

from k8s_manifests.objects import Place
from k8s_manifests.service_monitor import service_monitor
from lambda_fn.contract import paths


def test_the_service_monitor_names_the_port_and_the_path_of_the_contract() -> None:
    service, monitor = (item.to_dict() for item in service_monitor(Place("registry", "proxy", {"team": "a"}, {})))  # type: ignore[attr-defined]  # every model has it
    (endpoint,), (port,) = monitor["spec"]["endpoints"], service["spec"]["ports"]
    assert endpoint == {"port": port["name"], "path": paths.METRICS_PATH}
    assert (port["name"], port["port"], port["targetPort"]) == (paths.METRICS, paths.METRICS_PORT, paths.METRICS)
    for item in (service, monitor):
        assert item["metadata"]["labels"]["team"] == "a", "by which an operator's selector finds it"
