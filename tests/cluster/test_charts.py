"""What `frontdoor manifests` prints, to the real API server: every exposure, every field known to it."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from testbed.sandbox import crds
from testbed.sandbox import gateway_api as gateway_api_of_the_sandbox
from testbed.sandbox.world import World

GATEWAY = 'kind = "gateway"\ngateway = "internal.example"\ngateway_namespace = "edge"'
EXPOSURES = {
    "gateway": f'{GATEWAY}\nsection_name = "https"\ntrusted_proxies = ["10.1.0.0/24"]',
    "gateway, TLS passed through": f'{GATEWAY}\ntls_secret = "registry-tls"',
    "ingress": 'kind = "ingress"\nclass_name = "nginx"\ntls_secret = "registry-tls"\nannotations = { a = "b" }',
    # Without the TargetGroupBinding: no API server here knows that kind.
    "nlb": 'kind = "nlb"\ntls_secret = "registry-tls"\nsubnets = { subnet-0a1b2c3d4e5f60718 = "10.1.0.0/24" }',
    "pod": 'kind = "pod"\ntls_secret = "registry-tls"',
    "service": 'kind = "service"',
}


PLAIN = ""
ALL = """
[proxy]
image_pull_policy = "Always"
monitoring_namespace = "monitoring"
scrape = "servicemonitor"
labels = { cost-center = "42", "example.net/team" = "", "app.kubernetes.io/version" = "A_b.1" }
annotations = { "example.net/owner" = "on call <on-call@example.net>: #1" }
[proxy.scheduling]
node_selector = { "example.net/pool" = "infra" }
tolerations = [
    { operator = "Exists", effect = "NoSchedule" },
    { key = "example.net/dedicated", value = "registry", effect = "PreferNoSchedule" },
    { key = "node.kubernetes.io/unreachable", operator = "Exists", effect = "NoExecute", toleration_seconds = 0 },
]
priority_class = "system-cluster-critical"
[proxy.cache]
storage_class = "gp3"
"""
"""Every setting that the API server has rules for."""


def kubectl(*words: str, objects: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *words], input=objects, capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own


Print = Callable[..., str]
"""Prints the charts of an exposure with more settings."""


@pytest.fixture(scope="module", autouse=True)
def gateway_api() -> Iterator[None]:
    with gateway_api_of_the_sandbox.defined(), crds.defined(crds.service_monitor()):
        yield


@pytest.fixture
def print_charts(world: World, tmp_path: Path) -> Iterator[Print]:
    """The charts for a namespace that exists: a dry run does not make the one the others are in."""
    namespace = f"charts-{uuid.uuid4().hex[:8]}"
    config = tmp_path / "frontdoor.toml"

    def print_charts(exposure: str, more: str = PLAIN) -> str:
        config.write_text(
            f'domain = "{world.domain}"\n'
            f'cluster = {{ name = "{world.cluster}", region = "{world.region}", namespace = "{namespace}" }}\n'
            f'registries = [{{ account = "{world.account}", region = "{world.region}" }}]\n'
            f"{more}[proxy.exposure]\n{EXPOSURES[exposure]}\n"
        )
        command = [sys.executable, "-m", "cli.command", "manifests", "--config", str(config)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own

    apply(print_charts("service"), kind="Namespace")
    yield print_charts
    kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(
    params=[
        pytest.param((exposure, more), id=f"{exposure}{' with all' if more else ''}")
        for exposure in EXPOSURES
        for more in (PLAIN, ALL)
    ]
)
def printed(request: pytest.FixtureRequest, print_charts: Print) -> str:
    """The charts of each exposure, with no other settings and with all."""
    return print_charts(*request.param)


def apply(printed: str, *, kind: str) -> None:
    """Apply the one object of a kind."""
    (found,) = [document for document in yaml.safe_load_all(printed) if document["kind"] == kind]
    done = kubectl("apply", "--validate=strict", "-f", "-", objects=yaml.safe_dump(found))
    assert done.returncode == 0, done.stderr


def test_the_real_api_server_accepts_every_field_of_every_object(printed: str) -> None:
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", objects=printed)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, "Pod Security warns about a pod template that its namespace would refuse"
    kinds = [document["kind"] for document in yaml.safe_load_all(printed)]
    assert len(done.stdout.splitlines()) == len(kinds)


def test_the_real_api_server_refuses_a_field_it_does_not_know(printed: str) -> None:
    misspelt = printed.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem")
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", objects=misspelt)
    assert done.returncode != 0
    assert "readOnlyRootFileSystem" in done.stderr


@pytest.mark.parametrize("exposure", [name for name in EXPOSURES if name.startswith("gateway")])
def test_the_published_routes_have_no_field_that_is_misspelt(print_charts: Print, exposure: str) -> None:
    misspelt = print_charts(exposure).replace("parentRefs", "parentReferences")
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", objects=misspelt)
    assert done.returncode != 0
    assert "parentReferences" in done.stderr


def test_labels_come_and_go_on_the_deployment_that_is_there(print_charts: Print) -> None:
    """A Deployment's selector cannot change: with a label in it, the API server would refuse the second apply."""
    uids = set()
    for more, labels in ((PLAIN, set()), (ALL, {"cost-center"}), (PLAIN, set())):
        printed = print_charts("service", more)
        (name,) = (d["metadata"]["name"] for d in yaml.safe_load_all(printed) if d["kind"] == "Deployment")
        apply(printed, kind="Deployment")
        (namespace,) = (d["metadata"]["name"] for d in yaml.safe_load_all(printed) if d["kind"] == "Namespace")
        found = json.loads(kubectl("get", "deployment", name, f"--namespace={namespace}", "--output=json").stdout)
        uids.add(found["metadata"]["uid"])
        for meta in (found["metadata"], found["spec"]["template"]["metadata"]):
            assert meta["labels"].keys() & {"cost-center"} == labels
    assert len(uids) == 1
