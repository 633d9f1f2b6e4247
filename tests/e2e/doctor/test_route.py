"""The doctor and a route on the real API server; the test writes the status that a Gateway's controller would."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from cli.doctor.checks import route
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from k8s_manifests import access_documents
from lambda_fn.settings import GatewayExposure
from testbed.sandbox import gateway_api
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply, kubectl_json
from testbed.sandbox.world import World

KINDS = {"HTTPRoute": None, "TLSRoute": "registry-tls"}


@pytest.fixture(scope="module", autouse=True)
def definitions() -> Iterator[None]:
    with gateway_api.defined():
        yield


@pytest.fixture(params=KINDS)
def behind_a_gateway(context: CheckContext, request: pytest.FixtureRequest) -> CheckContext:
    """The same front door, with settings for a Gateway."""
    exposure = GatewayExposure(
        kind="gateway", gateway="internal", gateway_namespace="edge", tls_secret=KINDS[request.param]
    )
    proxy = context.settings.proxy.model_copy(update={"exposure": exposure})
    return replace(context, settings=context.settings.model_copy(update={"proxy": proxy}))


def found(context: CheckContext) -> list[Finding]:
    with closing(replace(context)) as fresh:
        return list(examine([route.CHECK], fresh))


def decide(world: World, kind: str, *, accepted: bool) -> None:
    """What a controller writes."""
    place = f"--namespace={world.namespace}"
    name = f"{kind.lower()}/aws-registry-proxy"
    generation = kubectl_json("get", name, place)["metadata"]["generation"]
    condition = {"lastTransitionTime": "2026-11-27T00:00:00Z", "observedGeneration": generation}
    refusal = {"status": "False", "reason": "NotAllowedByListeners", "message": "no listener allows it"}
    allowed = {"status": "True", "reason": "Accepted", "message": ""}
    conditions = [
        condition | {"type": "Accepted"} | (allowed if accepted else refusal),
        condition | {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", "message": ""},
    ]
    reference = {"name": "internal", "namespace": "edge"}
    status = {"parents": [{"parentRef": reference, "controllerName": "example.net/any", "conditions": conditions}]}
    run(("kubectl", "patch", name, place, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})))


def test_the_state_of_the_route_is_what_the_gateways_controller_wrote(
    behind_a_gateway: CheckContext, world: World
) -> None:
    (document,) = (d for d in access_documents(behind_a_gateway.settings) if d["kind"] in KINDS)
    assert found(behind_a_gateway) == []
    kubectl_apply(json.dumps(document))
    results = found(behind_a_gateway)
    for accepted in (False, True):
        decide(world, document["kind"], accepted=accepted)
        results += found(behind_a_gateway)
    assert [one.verdict for one in results] == [Verdict.FAILED, Verdict.FAILED, Verdict.OK]
    no_controller, refused, _ = results
    assert "no controller has taken it up for Gateway edge/internal" in no_controller.message
    assert "NotAllowedByListeners: no listener allows it" in refused.message
    assert "allowedRoutes" in refused.hint
