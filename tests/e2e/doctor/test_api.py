"""The doctor and a Kubernetes API that does not answer, or that has no definition of the load balancer's kind."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from cli.doctor.checks import all_checks, binding
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from k8s_manifests import proxy_documents
from k8s_manifests.exposures import TargetGroups
from lambda_fn.settings import Cluster, NlbExposure, Settings
from testbed.sandbox.binding import AWS_LOAD_BALANCER_CONTROLLER, EKS_AUTO_MODE
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World
from testbed.waiting import eventually

ARN = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/pods/0123456789abcdef"
OTHER = ARN.replace("pods", "others")
PROXIED = ARN.replace("pods", "proxied")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_api_that_does_not_answer_is_asked_once_within_the_timeout(
    context: CheckContext, world: World, silent_port: int
) -> None:
    authority = base64.b64encode(world.ca.certificate.read_bytes()).decode()
    silent = Cluster(
        **context.settings.cluster.model_dump(exclude={"endpoint", "certificate_authority"}),
        endpoint=f"https://127.0.0.1:{silent_port}",
        certificate_authority=authority,
    )
    settings = context.settings.model_copy(update={"cluster": silent})
    checks = [check for check in all_checks() if check.category == "cluster"]
    with closing(replace(context, settings=settings, timeout_seconds=1)) as given:
        (one,) = examine(checks, given)
    assert (one.check, one.verdict) == ("cluster", Verdict.FAILED)
    assert f"https://127.0.0.1:{silent_port}" in one.message
    assert "ConnectTimeout" in one.message
    assert "VPN" in one.hint


@pytest.fixture(params=["aws-load-balancer-controller", "eks-auto-mode"])
def balanced(context: CheckContext, request: pytest.FixtureRequest) -> CheckContext:
    """The same front door, with settings for a load balancer and GitOps."""
    exposure = NlbExposure(
        kind="nlb",
        controller=request.param,
        subnets={"subnet-12345678": "10.1.0.0/24"},
        tls_secret="registry-tls",
        target_group_arn=ARN,
        proxy_protocol_target_group_arn=PROXIED,
    )
    proxy = context.settings.proxy.model_copy(update={"exposure": exposure})
    changed: Settings = context.settings.model_copy(update={"proxy": proxy, "manifests": "external"})
    return replace(context, settings=changed)


def found(balanced: CheckContext) -> Finding:
    """The first finding of the check of the bindings, with connections of its own."""
    with closing(replace(balanced)) as fresh:
        return next(iter(examine([binding.CHECK], fresh)))


def test_the_fix_for_a_cluster_without_the_binding_kind_is_its_controller(balanced: CheckContext) -> None:
    one = found(balanced)
    assert (one.check, one.verdict) == ("binding", Verdict.FAILED)
    assert "TargetGroupBinding aws-registry-proxy" in one.message
    assert "proxy.exposure.controller" in one.hint


@pytest.fixture
def defined(balanced: CheckContext) -> Iterator[None]:
    definition = {"aws-load-balancer-controller": AWS_LOAD_BALANCER_CONTROLLER, "eks-auto-mode": EKS_AUTO_MODE}[
        balanced.settings.proxy.exposure.controller  # type: ignore[union-attr]  # the fixture's own
    ]
    kubectl_apply(json.dumps(definition))
    served = eventually(lambda: "is missing" in found(balanced).message, seconds=60)
    try:
        assert served, "the API server does not serve the new kind"
        yield
    finally:
        run(("kubectl", "delete", "customresourcedefinition", definition["metadata"]["name"]))


@pytest.mark.usefixtures("defined")
def test_only_a_binding_to_the_target_group_of_the_stack_is_ok(balanced: CheckContext) -> None:
    results = [found(balanced)]
    for arn in (OTHER, ARN):
        for document in proxy_documents(balanced.settings, target_groups=TargetGroups(arn, PROXIED)):
            if document["kind"] == "TargetGroupBinding":
                kubectl_apply(json.dumps(document))
        results.append(found(balanced))
    missing, other, right = results
    assert [one.verdict for one in results] == [Verdict.FAILED, Verdict.FAILED, Verdict.OK]
    assert all("TargetGroupBinding aws-registry-proxy" in one.message for one in results)
    assert "missing" in missing.message
    assert OTHER in other.message
    assert ARN in right.message
