"""What the doctor finds on the route to a Gateway; `tests/e2e/doctor/test_route.py` reads a real API server."""

from copy import deepcopy
from typing import Any

import pytest

import k8s_manifests
from cli.doctor.checks import route
from cli.doctor.finding import Finding, Verdict
from cli.doctor.kubernetes_errors import UnknownKindError
from lambda_fn.settings import GatewayExposure, Settings
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor.account import SETTINGS, context, findings, with_cluster

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "internal", "namespace": "edge"}
ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "observedGeneration": 2}
RESOLVED = ACCEPTED | {"type": "ResolvedRefs", "reason": "ResolvedRefs"}


def settings(tls_secret: str | None = None, namespace: str = "edge") -> Settings:
    exposure = GatewayExposure(
        kind="gateway", gateway="internal", gateway_namespace=namespace, section_name="https", tls_secret=tls_secret
    )
    return SETTINGS.model_copy(update={"proxy": SETTINGS.proxy.model_copy(update={"exposure": exposure})})


HTTP, TLS = settings(), settings("registry-tls")


def parent(*conditions: dict[str, Any], controller: str = "example.net/gateway", **reference: str) -> dict[str, Any]:
    return {"parentRef": PARENT | reference, "controllerName": controller, "conditions": [*conditions]}


def checked(of: Settings, *parents: dict[str, Any]) -> list[Finding]:
    """The findings on a route of generation 2 with this status."""
    (found,) = (deepcopy(d) for d in k8s_manifests.access_documents(of) if d["kind"].endswith("Route"))
    found["metadata"]["generation"] = 2
    if parents:
        found["status"] = {"parents": [*parents]}
    return findings(route.CHECK, with_cluster(context(settings=of), FakeKubernetes([found])))


@pytest.mark.parametrize(("of", "kind"), [(HTTP, "HTTPRoute"), (TLS, "TLSRoute")])
def test_a_route_that_the_gateway_has_accepted_is_ok(of: Settings, kind: str) -> None:
    (one,) = checked(of, parent(ACCEPTED, RESOLVED))
    assert one.verdict is OK
    assert f"{kind} aws-registry-proxy is accepted by example.net/gateway for Gateway edge/internal" in one.message


@pytest.mark.parametrize(
    ("condition", "reason", "fix"),
    [
        (ACCEPTED, "NotAllowedByListeners", "namespace registry (allowedRoutes)"),
        (ACCEPTED, "NoMatchingListenerHostname", "the hostname registry.example.net"),
        (ACCEPTED, "NoMatchingParent", "proxy.exposure.section_name"),
        (ACCEPTED, "Invented", "correct what the message names"),
        (RESOLVED, "BackendNotFound", "apply the charts"),
        (RESOLVED, "RefNotPermitted", "one namespace"),
    ],
)
def test_a_refusal_has_its_reason_the_message_of_the_controller_and_a_fix(
    condition: dict[str, Any], reason: str, fix: str
) -> None:
    refused = condition | {"status": "False", "reason": reason, "message": "words of the controller"}
    others = [one for one in (ACCEPTED, RESOLVED) if one is not condition]
    (one,) = checked(HTTP, parent(refused, *others))
    assert one.verdict is FAILED
    assert f"{condition['type']}=False by example.net/gateway" in one.message
    assert f"({reason}: words of the controller)" in one.message
    assert fix in one.hint


@pytest.mark.parametrize(
    "parents",
    [(), (parent(ACCEPTED, RESOLVED, name="other"),), (parent(ACCEPTED, RESOLVED, namespace="other"),)],
    ids=["no status", "of another Gateway", "of a Gateway in another namespace"],
)
def test_a_route_that_no_controller_has_taken_up_leads_nowhere(parents: tuple[dict[str, Any], ...]) -> None:
    (one,) = checked(HTTP, *parents)
    assert one.verdict is FAILED
    assert "no controller has taken it up for Gateway edge/internal" in one.message
    assert "kubectl -n edge describe gateway internal" in one.hint


def test_a_gateway_in_the_namespace_of_the_route_may_be_named_without_it() -> None:
    reference = parent(ACCEPTED, RESOLVED, namespace="registry")
    del reference["parentRef"]["namespace"]
    (one,) = checked(settings(namespace="registry"), reference)
    assert one.verdict is OK


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ((), "Accepted=Unknown"),
        ((ACCEPTED,), "ResolvedRefs=Unknown"),
        ((ACCEPTED | {"status": "Unknown", "reason": "Pending"}, RESOLVED), "(Pending)"),
        ((ACCEPTED | {"observedGeneration": 1}, RESOLVED), "earlier version of the route"),
    ],
)
def test_a_controller_that_has_not_decided_is_a_warning(conditions: tuple[dict[str, Any], ...], word: str) -> None:
    (one,) = checked(HTTP, parent(*conditions))
    assert one.verdict is WARNING
    assert word in one.message


def test_each_controller_of_the_gateway_has_a_finding() -> None:
    refused = parent(ACCEPTED | {"status": "False"}, RESOLVED, controller="example.net/other")
    assert [one.verdict for one in checked(HTTP, parent(ACCEPTED, RESOLVED), refused)] == [OK, FAILED]


def test_a_cluster_without_the_kind_of_the_route_needs_gateway_api() -> None:
    unknown = FakeKubernetes(error=UnknownKindError("unknown kind", "hint"))
    (one,) = findings(route.CHECK, with_cluster(context(settings=HTTP), unknown))
    assert one.verdict is FAILED
    assert "Gateway API 1.5" in one.hint


def test_a_missing_route_is_left_to_the_check_of_the_objects_and_other_exposures_have_none() -> None:
    for of in (HTTP, SETTINGS):
        assert findings(route.CHECK, with_cluster(context(settings=of), FakeKubernetes())) == []
