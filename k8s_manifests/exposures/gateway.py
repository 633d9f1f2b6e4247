"""`kind = "gateway"`: a Gateway of the cluster leads to the Service, and terminates TLS or passes it through.

https://gateway-api.sigs.k8s.io/reference/api-types/httproute/ and .../tlsroute/ , from version 1.5 of its CRDs on.
"""

from dataclasses import replace

from lightkube.core.resource import Resource
from lightkube.generic_resource import create_namespaced_resource

from k8s_manifests.exposures.exposure import Exposure
from k8s_manifests.objects import Place
from lambda_fn.settings.exposure import GatewayExposure

_GROUP, _VERSION = "gateway.networking.k8s.io", "v1"
_HttpRoute = create_namespaced_resource(_GROUP, _VERSION, "HTTPRoute", "httproutes")
_TlsRoute = create_namespaced_resource(_GROUP, _VERSION, "TLSRoute", "tlsroutes")

_NO_TIMEOUT = {"timeouts": {"request": "0s"}}
"""Without it Envoy ends every request after 15 s, and a layer takes minutes.

https://gateway.envoyproxy.io/latest/tasks/traffic/http-timeouts/
"""

_TERMINATE_TLS = "leave tls_secret out, so that the Gateway terminates TLS, and set the network ranges of the Gateway"


def exposure(table: GatewayExposure, *, place: Place, domain: str, sources: tuple[str, ...]) -> Exposure:
    """The Service with a route to it: of HTTP, or of TLS where nginx terminates it."""
    passes_tls = table.pod_tls_secret is not None
    found = Exposure(kind=table.kind, sources=sources, tls_secret=table.pod_tls_secret)
    backend = {"name": place.workload, "port": found.service_port}
    rule = {"backendRefs": [backend]} | ({} if passes_tls else _NO_TIMEOUT)
    spec = {"parentRefs": [_parent(table)], "hostnames": [domain], "rules": [rule]}
    found = replace(found, access_objects=(_route(place, spec, passes_tls=passes_tls),))
    return replace(found, clients_fix=_TERMINATE_TLS) if passes_tls else found


def _parent(table: GatewayExposure) -> dict[str, str]:
    parent = {"name": table.gateway, "namespace": table.gateway_namespace}
    return parent | ({"sectionName": table.section_name} if table.section_name else {})


def _route(place: Place, spec: dict[str, object], *, passes_tls: bool) -> Resource:
    kind, route = ("TLSRoute", _TlsRoute) if passes_tls else ("HTTPRoute", _HttpRoute)
    return route(apiVersion=f"{_GROUP}/{_VERSION}", kind=kind, metadata=place.metadata(), spec=spec)
