"""The doctor and a Kubernetes API that is dead, or does not know the load balancer's kinds."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from cli.doctor import binding, cluster
from cli.doctor.finding import Verdict
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.site import Site
from k8s_manifests import proxy_documents
from lambda_fn.edges.eks import Eks
from lambda_fn.settings import Cluster, NlbExposure, Settings
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World
from testbed.waiting import eventually

ARN = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/pods/0123456789abcdef"
OTHER = ARN.replace("pods", "others")
# The controller's own definition cannot be had here: testbed/docs/testing.md.
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "targetgroupbindings.elbv2.k8s.aws"},
    "spec": {
        "group": "elbv2.k8s.aws",
        "scope": "Namespaced",
        "names": {"kind": "TargetGroupBinding", "plural": "targetgroupbindings", "singular": "targetgroupbinding"},
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_api_that_says_nothing_is_waited_for_once_and_not_for_long(
    site: Site, world: World, silent_port: int
) -> None:
    authority = base64.b64encode(world.ca.certificate.read_bytes()).decode()
    dead = Cluster(
        **site.settings.cluster.model_dump(exclude={"endpoint", "certificate_authority"}),
        endpoint=f"https://127.0.0.1:{silent_port}",
        certificate_authority=authority,
    )
    where = replace(site, settings=site.settings.model_copy(update={"cluster": dead}), answer_seconds=1)
    (one,) = cluster.examine(where)
    assert (one.check, one.verdict) == ("cluster", Verdict.FAILED)
    assert f"https://127.0.0.1:{silent_port} cannot be reached: ConnectTimeout" in one.said
    assert "connect to the VPN" in one.way_out


@pytest.fixture(scope="module")
def balanced(site: Site) -> Site:
    """The same front door, were it behind a load balancer and applied by GitOps."""
    exposure = NlbExposure(
        kind="nlb", subnets={"subnet-12345678": "10.1.0.0/24"}, tls_secret="registry-tls", target_group_arn=ARN
    )
    proxy = site.settings.proxy.model_copy(update={"exposure": exposure})
    changed: Settings = site.settings.model_copy(update={"proxy": proxy, "manifests": "external"})
    return replace(site, settings=changed)


@pytest.fixture
def kubernetes(balanced: Site) -> Iterator[Kubernetes]:
    eks = Eks(balanced.settings, balanced.aws.client("eks"), balanced.aws.client("sts"))
    with closing(Kubernetes(balanced, eks.connect(), eks.bearer())) as opened:
        yield opened


def test_a_cluster_without_the_load_balancers_kind_is_told_to_install_the_controller(
    balanced: Site, kubernetes: Kubernetes
) -> None:
    (one,) = binding.examine(balanced, kubernetes)
    assert (one.check, one.verdict) == ("binding", Verdict.FAILED)
    assert "knows no such kind (get TargetGroupBinding aws-registry-proxy)" in one.said
    assert "install the AWS Load Balancer Controller" in one.way_out


@pytest.fixture
def defined(balanced: Site, kubernetes: Kubernetes) -> Iterator[None]:
    kubectl_apply(json.dumps(DEFINITION))
    served = eventually(lambda: "is missing" in next(binding.examine(balanced, kubernetes)).said, seconds=60)
    try:
        assert served, "the API server does not serve the new kind"
        yield
    finally:
        run(("kubectl", "delete", "customresourcedefinition", DEFINITION["metadata"]["name"]))  # type: ignore[index]  # a dict


@pytest.mark.usefixtures("defined")
def test_the_binding_in_the_cluster_is_the_one_that_leads_to_the_stacks_target_group(
    balanced: Site, kubernetes: Kubernetes
) -> None:
    found = [next(binding.examine(balanced, kubernetes))]
    for arn in (OTHER, ARN):
        objects = proxy_documents(balanced.settings, target_group_arn=arn)
        (document,) = [one for one in objects if one["kind"] == "TargetGroupBinding"]
        kubectl_apply(json.dumps(document))
        found.append(next(binding.examine(balanced, kubernetes)))
    assert [one.verdict for one in found] == [Verdict.FAILED, Verdict.FAILED, Verdict.OK]
    assert [one.said.partition(":")[0] for one in found[:2]] == [
        "TargetGroupBinding aws-registry-proxy is missing",
        "TargetGroupBinding aws-registry-proxy names arn",
    ]
