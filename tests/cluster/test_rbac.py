"""The charts' Role is exactly what a refresh needs: each verb taken away fails it, in a message that names the verb."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.secret import Entry
from lambda_fn.job import manifests
from lambda_fn.settings import Settings
from tests.cluster.site import Site
from tests.contract.cluster import deployment, objects_of, template
from tests.fakes.clock import STARTED_AT
from tests.fakes.registry import FakeRegistry
from tests.leaks import shown_with_locals

READ_TEMPLATE = lambda site: site.cluster.read_template()  # noqa: E731 - a row of the table
READ_WORKLOAD = lambda site: site.cluster.read_workload()  # noqa: E731
APPLY_SECRET = lambda site: site.cluster.apply(secret(site), dry_run=False)  # noqa: E731
APPLY_CONFIGURATION = lambda site: site.cluster.apply(objects_of(site.settings).config_map("a"), dry_run=False)  # noqa: E731
APPLY_ROLLOUT = lambda site: site.cluster.apply(objects_of(site.settings).rollout({}), dry_run=False)  # noqa: E731


def secret(site: Site) -> manifests.Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": site.settings.names.secret, "namespace": site.settings.cluster.namespace},
        "data": {"a": "YQ=="},
    }


def secret_of(site: Site, registry: FakeRegistry) -> manifests.Manifest:
    """The Secret with a token of its own."""
    lasting = timedelta(0)
    credential = registry.fetch_credential(site.settings.cluster.region, now=STARTED_AT, must_outlive=lasting)
    stored = {credential.host: Entry(credential.authorization, credential.expires_at)}
    return objects_of(site.settings).secret(stored, credential.expires_at, STARTED_AT)


def unable_pod(of: Settings) -> manifests.Manifest:
    """A pod of the Deployment whose container never starts, as the namespace's Pod Security allows it."""
    security = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "nginx", "image": "nowhere/nginx:1", "imagePullPolicy": "Never", "securityContext": security}
    labels = deployment(of)["spec"]["selector"]["matchLabels"]
    metadata = {"name": "proxy-x", "namespace": of.cluster.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


@pytest.mark.parametrize(
    ("verb", "resource", "name", "named", "doing"),
    [
        ("get", "configmaps", "aws-registry-proxy-tpl", "aws-registry-proxy-tpl", READ_TEMPLATE),
        ("get", "configmaps", "aws-registry-proxy-config", "aws-registry-proxy-config", APPLY_CONFIGURATION),
        ("patch", "configmaps", "aws-registry-proxy-config", "aws-registry-proxy-config", APPLY_CONFIGURATION),
        ("create", "configmaps", None, "aws-registry-proxy-config", APPLY_CONFIGURATION),
        ("get", "secrets", "aws-registry", "aws-registry", APPLY_SECRET),
        ("patch", "secrets", "aws-registry", "aws-registry", APPLY_SECRET),
        ("create", "secrets", None, "aws-registry", APPLY_SECRET),
        ("get", "deployments", "aws-registry-proxy", "aws-registry-proxy", READ_WORKLOAD),
        ("patch", "deployments", "aws-registry-proxy", "aws-registry-proxy", APPLY_ROLLOUT),
    ],
)
def test_a_missing_verb_is_named_with_its_object_and_the_role_that_should_have_it(
    site: Site, verb: str, resource: str, name: str | None, named: str, doing: Callable[[Site], object]
) -> None:
    site.create(template(site.settings))
    site.create(deployment(site.settings))
    site.without_rule(verb, resource, name)
    site.invocation.remaining_seconds = 16
    with pytest.raises(ClusterError) as caught:
        doing(site)
    assert str(caught.value).startswith(
        f"Kubernetes forbids the Lambda to {verb} {resource} {named} in namespace {site.settings.cluster.namespace}. "
        "Fix: apply the charts again, whose Role aws-registry-proxy-refresher, bound to group cluster-tests:refresher,"
    )


def test_without_the_right_to_list_pods_a_stuck_rollout_is_still_explained_as_far_as_it_can_be(site: Site) -> None:
    site.create(deployment(site.settings))
    site.without_rule("list", "pods", None)
    assert "forbids the Lambda to list pods" in site.cluster.explain_stuck_rollout()


def test_without_the_right_to_read_logs_a_stuck_rollout_still_names_the_pod_and_the_missing_right(site: Site) -> None:
    site.create(deployment(site.settings))
    site.create(unable_pod(site.settings))
    site.wait_for_waiting_container("proxy-x")
    site.without_rule("get", "pods/log", None)
    report = site.cluster.explain_stuck_rollout()
    assert "pod proxy-x, container nginx: ErrImageNeverPull: " in report
    assert "no log: Kubernetes forbids the Lambda to get pods/log proxy-x in namespace" in report
    assert "Role aws-registry-proxy-refresher" in report


def test_a_failed_write_of_the_secret_leaves_no_token_in_a_traceback_with_locals(site: Site) -> None:
    tokens = FakeRegistry(), FakeRegistry()
    old, new = (secret_of(site, registry) for registry in tokens)
    site.cluster.apply(old, dry_run=False)
    site.without_rule("patch", "secrets", "aws-registry")
    site.invocation.remaining_seconds = 16
    with pytest.raises(ClusterError) as caught:
        site.cluster.apply(new, dry_run=False)
    shown = shown_with_locals(caught.value)
    assert "in handle_response" in shown, "lightkube's frames are expected in here"
    assert [registry.leak_check.leaks(shown) for registry in tokens] == [[], []]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Secret", "another-application"), ("ConfigMap", "another-application"), ("Deployment", "another-application")],
)
def test_other_objects_of_the_namespace_are_out_of_reach(site: Site, kind: str, name: str) -> None:
    site.invocation.remaining_seconds = 16
    version = "apps/v1" if kind == "Deployment" else "v1"
    metadata = {"name": name, "namespace": site.settings.cluster.namespace}
    with pytest.raises(ClusterError, match=f"forbids the Lambda to get {kind.lower()}s {name}"):
        site.cluster.apply({"apiVersion": version, "kind": kind, "metadata": metadata}, dry_run=True)
