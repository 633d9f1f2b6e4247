"""Whether the Gateway has taken the route up that leads to the proxy (`exposure.kind = "gateway"`)."""

from collections.abc import Iterator

import k8s_manifests
from cli.doctor.chart_objects import Document, title
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes_errors import UnknownKindError
from lambda_fn.job.redact import excerpt

_ROUTES = frozenset({"HTTPRoute", "TLSRoute"})
_LOG = "look into the log of the Gateway's controller"
_CONDITIONS = ("Accepted", "ResolvedRefs")
_FIXES = {
    "NotAllowedByListeners": "let a listener of the Gateway allow routes of this kind and of namespace {namespace} "
    "(allowedRoutes)",
    "NoMatchingListenerHostname": "give a listener of the Gateway the hostname {domain}, or a wildcard that it fits",
    "NoMatchingParent": "set proxy.exposure.section_name to a listener of the Gateway, or leave it out",
    "RefNotPermitted": "apply the charts: the route and the Service belong into one namespace",
    "BackendNotFound": "apply the charts, which have the Service",
    "UnsupportedProtocol": "let the Gateway's controller speak HTTP/1.1 or pass TLS to the Service",
}
"""By the reason of a condition: https://gateway-api.sigs.k8s.io/reference/spec/#routeconditionreason ."""


def run(context: CheckContext) -> Iterator[Finding]:
    """A finding for each controller that has looked at the route; nothing with another exposure.

    A route that is missing is left to the check `objects`.
    """
    documents = k8s_manifests.access_documents(context.settings)
    for document in (one for one in documents if one["kind"] in _ROUTES):
        try:
            found = context.kubernetes.find(document)
        except UnknownKindError as error:
            yield failed(
                f"{error.message}: no Gateway leads to the proxy",
                "install the CRDs of Gateway API 1.5 or later, and a controller (docs/exposure.md)",
            )
            continue
        if found:
            yield from _parents(document, found, context.settings.domain)


def _parents(document: Document, found: Document, domain: str) -> Iterator[Finding]:
    (parent,) = document["spec"]["parentRefs"]
    name = f"{parent['namespace']}/{parent['name']}"
    namespace = document["metadata"]["namespace"]
    ours = [one for one in found.get("status", {}).get("parents", ()) if _is(one["parentRef"], parent, namespace)]
    if not ours:
        yield failed(
            f"{title(document)}: no controller has taken it up for Gateway {name}, so clients do not reach the proxy",
            f"check the Gateway and its class: kubectl -n {parent['namespace']} describe gateway {parent['name']}",
        )
    for one in ours:
        yield _attached(document, one, found["metadata"].get("generation", 0), domain, name)


def _is(reference: Document, parent: Document, namespace: str) -> bool:
    found = (reference.get("namespace", namespace), reference["name"])
    return found == (parent["namespace"], parent["name"])


def _attached(document: Document, status: Document, generation: int, domain: str, gateway: str) -> Finding:
    """What a controller says of the route: https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus ."""
    by = f"{status.get('controllerName', 'its controller')} for Gateway {gateway}"
    conditions: dict[str, Document] = {one["type"]: one for one in status.get("conditions", ())}
    for kind in _CONDITIONS:
        condition = conditions.get(kind, {})
        state = condition.get("status", "Unknown")
        message = f"{title(document)} has {kind}={state} by {by}{_why(condition)}"
        if state == "False":
            default = f"correct what the message names, or {_LOG}"
            hint = _FIXES.get(condition.get("reason", ""), default)
            return failed(message, hint.format(namespace=document["metadata"]["namespace"], domain=domain))
        if state != "True":
            return warning(message, f"run the doctor again in a minute; if it stays, {_LOG}")
        if condition.get("observedGeneration", generation) < generation:
            return warning(f"{message}, of an earlier version of the route", f"wait a minute; if it stays, {_LOG}")
    return ok(f"{title(document)} is accepted by {by}")


def _why(condition: Document) -> str:
    words = [str(condition[key]) for key in ("reason", "message") if condition.get(key)]
    return f" ({excerpt(': '.join(words))})" if words else ""


CHECK = Check("route", Category.CLUSTER, run, needs=("cluster",), runbook="docs/exposure.md#gateway-behind-a-gateway")
