"""How clients reach the pods: the Service, and the Ingress where TLS ends in a controller of the cluster."""

from lightkube.models.core_v1 import ServicePort, ServiceSpec
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
from lightkube.resources.core_v1 import Service
from lightkube.resources.networking_v1 import Ingress

from k8s_manifests.objects import metadata, selector_labels
from lambda_fn.settings import IngressExposure, Settings

HTTP_PORT = 8080
HTTPS_PORT = 8443


def listening_port(settings: Settings) -> int:
    """The container port that clients use; 8080 is always open to the kubelet's probes."""
    return HTTPS_PORT if settings.proxy.pod_tls_secret else HTTP_PORT


def service_port(settings: Settings) -> int:
    """The Service's port: 443 where the pods end TLS, otherwise 80."""
    return 443 if settings.proxy.pod_tls_secret else 80


def service(settings: Settings) -> Service:
    """The Service: 443 alone where the pods end TLS, so that nothing answers in clear text; otherwise 80."""
    secure = settings.proxy.pod_tls_secret is not None
    port = ServicePort(
        name="https" if secure else "http",
        port=service_port(settings),
        targetPort="https" if secure else "http",
        protocol="TCP",
    )
    return Service(
        metadata=metadata(settings, settings.names.workload),
        spec=ServiceSpec(type="ClusterIP", selector=selector_labels(settings), ports=[port]),
    )


def ingress(settings: Settings) -> list[Ingress]:
    """The Ingress for the domain with the operator's annotations and no others, or nothing."""
    exposure = settings.proxy.exposure
    if not isinstance(exposure, IngressExposure):
        return []
    meta = metadata(settings, settings.names.workload)
    meta.annotations = exposure.annotations or None
    backend = IngressServiceBackend(name=settings.names.workload, port=ServiceBackendPort(name="http"))
    path = HTTPIngressPath(path="/", pathType="Prefix", backend=IngressBackend(service=backend))
    spec = IngressSpec(
        ingressClassName=exposure.class_name,
        rules=[IngressRule(host=settings.domain, http=HTTPIngressRuleValue(paths=[path]))],
        # Without a secret the host still stands here: it is how a controller finds the certificate by itself.
        tls=[IngressTLS(hosts=[settings.domain], secretName=exposure.tls_secret)],
    )
    return [Ingress(metadata=meta, spec=spec)]
