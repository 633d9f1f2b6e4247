"""What the Lambda says and does where the real API server's admission control refuses or changes its objects."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambda_fn.contract import objects
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.secret import Entry
from lambda_fn.job.manifests import Objects
from lambda_fn.job.ports import Applied
from tests.cluster import admission
from tests.cluster.site import Site
from tests.contract.cluster import deployment, objects_of

EXPIRES_AT = datetime(2126, 11, 26, tzinfo=UTC)
MESSAGE = "each object needs the label owner, as the platform handbook says"


def refusal_of(site: Site) -> str:
    """The error of an apply, which must not be repeated."""
    started_at = time.monotonic()
    with pytest.raises(ClusterError) as caught:
        site.cluster.apply(objects_of(site.settings).config_map("one"), dry_run=False)
    assert time.monotonic() - started_at < 10, "the refusal was tried again"
    assert not [word for word in ("delete it", "Role", "access entry") if word in str(caught.value)]
    return str(caught.value)


@pytest.mark.parametrize("reason", ["Invalid", "Forbidden", "RequestEntityTooLarge"])
def test_a_policy_that_refuses_a_write_is_named_with_its_message_at_once(site: Site, reason: str) -> None:
    with admission.policy(
        site, "has(object.metadata.labels) && 'owner' in object.metadata.labels", MESSAGE, reason
    ) as name:
        said = refusal_of(site)
    assert f"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: {MESSAGE}" in said
    assert said.startswith("the cluster's admission control refuses: patch configmaps aws-registry-proxy-config in")


def test_a_policy_that_demands_a_label_lets_the_lambda_write_what_has_it(site: Site) -> None:
    labelled = Objects(site.settings.names, site.settings.cluster.namespace, {"owner": "platform"}, {})
    entries = {"a.example": Entry(Authorization("dA=="), EXPIRES_AT)}
    with admission.policy(site, "'owner' in object.metadata.?labels.orValue({})", MESSAGE, "Forbidden"):
        for found in (labelled.secret(entries, EXPIRES_AT, EXPIRES_AT), labelled.config_map("one")):
            assert site.cluster.apply(found, dry_run=False).changed


@pytest.mark.parametrize("code", [400, 403, 409])
def test_a_webhook_that_refuses_a_write_is_named_with_its_message_at_once(
    site: Site, tmp_path: Path, code: int
) -> None:
    refused = {"allowed": False, "status": {"code": code, "message": MESSAGE}}
    with (
        admission.webhook(lambda _: refused, tmp_path) as client_config,
        admission.registered(site, "ValidatingWebhookConfiguration", client_config, ["configmaps"]),
    ):
        admission.wait_until_refused(site)
        said = refusal_of(site)
    assert f'admission webhook "owner.example.net" denied the request: {MESSAGE}' in said


def test_a_webhook_that_does_not_answer_is_named(site: Site) -> None:
    unreachable = {"url": "https://127.0.0.1:9/"}
    with admission.registered(site, "ValidatingWebhookConfiguration", unreachable, ["configmaps"]):
        admission.wait_until_refused(site)
        site.invocation.remaining_seconds = 17
        with pytest.raises(ClusterError, match=r"Kubernetes cannot call admission webhook owner\.example\.net"):
            site.cluster.apply(objects_of(site.settings).config_map("one"), dry_run=False)


def stamp(path: str) -> admission.Answer:
    """A mutating webhook that writes another instant into an annotation at each write."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        del request
        patch = [{"op": "add", "path": path, "value": str(time.time_ns())}]
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}

    return answer


@pytest.mark.parametrize(
    ("path", "replaces_pods"),
    [("/metadata/annotations/example.net~1at", False), ("/spec/template/metadata/annotations/example.net~1at", True)],
    ids=["of the Deployment", "of its pods"],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_annotation_that_a_webhook_stamps_replaces_pods_only_where_it_is_one_of_the_pods(
    site: Site, tmp_path: Path, path: str, *, replaces_pods: bool, dry_run: bool
) -> None:
    found = deployment(site.settings)
    site.create({**found, "metadata": {**found["metadata"], "annotations": {"example.net/owner": "platform"}}})
    ours = objects_of(site.settings).rollout({objects.CONFIG_SHA256: "a"})
    assert site.cluster.apply(ours, dry_run=False).template_changed
    for _ in range(50):  # its controller writes the revision into an annotation: changed, but no rollout
        if not site.cluster.apply(ours, dry_run=False).changed:
            break
        time.sleep(0.2)
    with (
        admission.webhook(stamp(path), tmp_path) as client_config,
        admission.registered(site, "MutatingWebhookConfiguration", client_config, ["deployments"]),
    ):
        applied = stamped(site, dry_run=dry_run)
    assert applied.changed
    assert applied.template_changed is replaces_pods


def stamped(site: Site, *, dry_run: bool) -> Applied:
    """The first apply that the webhook has changed: the API server reads new webhooks within a second or so."""
    ours = objects_of(site.settings).rollout({objects.CONFIG_SHA256: "a"})
    for _ in range(100):
        applied = site.cluster.apply(ours, dry_run=dry_run)
        if applied.changed:
            return applied
        time.sleep(0.2)
    raise AssertionError("the API server asks no webhook within 20 s")
