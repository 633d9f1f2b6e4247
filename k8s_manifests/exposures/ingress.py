"""`kind = "ingress"`: an Ingress controller of the cluster terminates TLS."""

from lightkube.models.networking_v1 import (
    HTTPIngressPath,
    HTTPIngressRuleValue,
    IngressBackend,
    IngressRule,
    IngressServiceBackend,
    IngressSpec,
    IngressTLS,
    ServiceBackendPort,
)
from lightkube.resources.networking_v1 import Ingress

from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.objects import Place
from lambda_fn.settings.exposure import IngressExposure


def exposure(table: IngressExposure, *, place: Place, domain: str, sources: tuple[str, ...]) -> Exposure:
    """The Service with an Ingress before it."""
    return Exposure(kind=table.kind, sources=sources, access_objects=(_ingress(table, place, domain),))


def _ingress(table: IngressExposure, place: Place, domain: str) -> Ingress:
    """The Ingress for the domain, with the operator's annotations and no others."""
    meta = place.metadata()
    meta.annotations = {**place.annotations, **table.annotations} or None
    backend = IngressServiceBackend(name=place.workload, port=ServiceBackendPort(name="http"))
    path = HTTPIngressPath(path="/", pathType="Prefix", backend=IngressBackend(service=backend))
    spec = IngressSpec(
        ingressClassName=table.class_name,
        rules=[IngressRule(host=domain, http=HTTPIngressRuleValue(paths=[path]))],
        # The host is here without a Secret too: by it a controller finds the certificate itself.
        tls=[IngressTLS(hosts=[domain], secretName=table.tls_secret)],
    )
    return Ingress(metadata=meta, spec=spec)
