"""Whether the cluster has what leads clients to the proxy: a class, a Gateway or a controller of load balancers."""

from collections.abc import Iterator
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.doctor.kubernetes_errors import UnknownKindError
from k8s_manifests.exposures import exposure_of
from lambda_fn.settings.exposure import GatewayExposure, IngressExposure, NlbExposure


def run(context: CheckContext) -> Iterator[Finding]:
    """The object that the exposure names, or the kind that it uses; nothing with `pod` and `service`."""
    namespace = context.settings.cluster.namespace
    match exposure := context.settings.proxy.exposure:
        case IngressExposure():
            wanted = _object("networking.k8s.io/v1", "IngressClass", exposure.class_name)
            setting = f"proxy.exposure.class_name = {exposure.class_name}"
        case GatewayExposure():
            wanted = _object("gateway.networking.k8s.io/v1", "Gateway", exposure.gateway, exposure.gateway_namespace)
            setting = f"proxy.exposure.gateway = {exposure.gateway}"
        case NlbExposure() if controller := exposure_of(context.settings).controller:
            # Any name will do: what counts is whether the cluster knows the kind.
            wanted = _object(controller.api_version, "TargetGroupBinding", context.settings.names.workload, namespace)
            setting = f"proxy.exposure.controller = {exposure.controller}"
        case _:
            return
    kind = wanted["kind"]
    try:
        found = context.kubernetes.find(wanted)
    except UnknownKindError:
        yield failed(f"{setting}: the cluster does not know {kind}", "install the controller (docs/exposure.md)")
        return
    if found is None and not isinstance(exposure, NlbExposure):
        yield failed(
            f"{setting}: the cluster has no {kind} of this name", "correct the name, or install the controller"
        )
        return
    yield ok(f"{setting}: the cluster has it")


def _object(version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    place = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": place}


CHECK = Check("controller", Category.CLUSTER, run, needs=("namespace",), runbook="docs/exposure.md")
