"""The operations of an installed front door, on the real node."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_fn.contract.objects import CACHE_PURGED_AT
from lambda_fn.settings import Refresh
from testbed.sandbox import installation, pulls
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.lambda_runtime import Invocation
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.leaks import leaks

pytestmark = pytest.mark.usefixtures("installed")


def annotations(world: World) -> dict[str, str]:
    deployment = kubectl_json("get", "deployment", "aws-registry-proxy", f"--namespace={world.namespace}")
    found: dict[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
    return found


def versions(world: World) -> dict[str, str]:
    """The generation of each object, which no status changes, or else its version."""
    objects = kubectl_json("get", "configmap,secret,deployment", f"--namespace={world.namespace}")["items"]
    found = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"] for item in objects}
    return {name: str(of.get("generation", of["resourceVersion"])) for name, of in found.items()}


def report_of(invocation: Invocation) -> dict[str, Any]:
    assert invocation.error is None, invocation.log
    found: dict[str, Any] = invocation.payload
    return found


@pytest.fixture
def template(world: World) -> Iterator[None]:
    """Restores the template and the rollout after a test."""
    yield
    installation.apply_charts(world)
    report_of(installation.refresh(world, {}))


def test_a_second_refresh_changes_nothing_but_the_token(world: World) -> None:
    pods = installation.proxy_pods(world)
    report = report_of(installation.refresh(world, {}))
    assert report["changed"] == ["Secret aws-registry"]
    assert not report["rolled_out"]
    assert installation.proxy_pods(world) == pods


def test_a_dry_run_reports_changes_and_writes_nothing(world: World) -> None:
    before = versions(world)
    report = report_of(installation.refresh(world, {"dry_run": True}))
    assert report["dry_run"]
    assert report["changed"] == ["Secret aws-registry"]
    assert versions(world) == before


def test_after_a_purge_cached_blobs_are_read_from_s3_again_and_no_pull_breaks(world: World, control: Control) -> None:
    warm = installation.push_new_layer(world, world.app_repository, 64 << 10)
    slow = installation.push_new_layer(world, world.app_repository, 8 << 20)
    before = installation.proxy_pods(world)
    assert from_every_pod(world, warm) == {warm}
    mark = control.mark()
    assert from_every_pod(world, warm) == {warm}
    assert control.requests(mark).count("s3.layer") == 0, "the blob is not cached: a purge would show nothing"
    with (
        control.behaving(Behaviour(s3_bytes_per_second=20_000)),
        pulls.BlobPull.start(world, world.app_repository, slow) as pull,
    ):
        assert report_of(installation.refresh(world, {"purge_cache": True}))["cache_purged"]
        assert pull.is_running
        control.reset()
        assert pull.finish(timeout_seconds=60) == slow
    after = installation.proxy_pods(world)
    assert not set(before) & set(after)
    mark = control.mark()
    assert from_every_pod(world, warm) == {warm}
    assert control.requests(mark).sent_bytes("s3.layer") >= 64 << 10
    purged_at = annotations(world)[CACHE_PURGED_AT]
    assert not report_of(installation.refresh(world, {}))["rolled_out"]
    assert annotations(world)[CACHE_PURGED_AT] == purged_at
    assert installation.proxy_pods(world) == after


def from_every_pod(world: World, digest: str) -> set[str]:
    """The digests of a blob, read from each pod of the proxy."""
    path = f"v2/{world.app_repository}/blobs/{digest}"
    return {pulls.fetch_from_pod(world, pod, path) for pod in installation.proxy_pods(world)}


@pytest.mark.usefixtures("template")
def test_a_broken_template_stops_at_the_first_new_pod_and_is_rolled_back(world: World) -> None:
    serving, before, was = installation.proxy_pods(world), annotations(world), configuration(world)
    installation.edit_template(world, "no_such_directive on;")
    settings = installation.settings(world)
    short_timeout = settings.model_copy(update={"refresh": Refresh(rollout_timeout_seconds=30)})
    invocation = installation.refresh(world, {}, short_timeout)
    assert invocation.error is not None
    assert invocation.error["errorType"] == "RolloutStuckError"
    message = invocation.error["errorMessage"]
    assert 'unknown directive "no_such_directive"' in message
    (pod,) = re.findall(r"pod (aws-registry-proxy-\S+), container check-configuration", message)
    assert pod not in serving
    assert installation.proxy_pods(world) == serving
    assert (annotations(world), configuration(world)) == (before, was)
    assert pulls.pull_with_crane(world, pulls.public_image(world)).startswith("sha256:")
    lost, *others = serving
    namespace = f"--namespace={world.namespace}"
    run(("kubectl", "delete", "pod", lost, namespace, "--grace-period=0", "--force"))
    wait_until(lambda: bool(set(installation.proxy_pods(world)) - {lost, *others}), "another pod replaces it")
    (came,) = set(installation.proxy_pods(world)) - {lost, *others}
    run(("kubectl", "wait", f"pod/{came}", "--for=condition=Ready", "--timeout=120s", namespace))
    assert pulls.pull_with_crane(world, pulls.public_image(world)).startswith("sha256:")


def configuration(world: World) -> str:
    found = kubectl_json("get", "configmap", "aws-registry-proxy-config", f"--namespace={world.namespace}")
    return str(found["data"]["nginx.conf"])


@pytest.mark.usefixtures("template")
def test_a_template_with_an_unknown_name_changes_only_the_token(world: World) -> None:
    installation.edit_template(world, "# {{ tokn }}")
    before = versions(world)
    invocation = installation.refresh(world, {})
    assert invocation.error is not None
    assert invocation.error["errorType"] == "UnrenderedTemplateError"
    assert "tokn" in invocation.error["errorMessage"]
    after = versions(world)
    assert {name for name in after if after[name] != before.get(name)} == {"Secret/aws-registry"}
    installation.apply_charts(world)
    assert not report_of(installation.refresh(world, {}))["rolled_out"], "the restored template rolled the pods"


def test_the_token_is_only_in_the_secret(world: World) -> None:
    invocation = installation.refresh(world, {})
    secret = kubectl_json("get", "secret", "aws-registry", f"--namespace={world.namespace}")
    auths = json.loads(b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    token = auths[world.ecr_host]["auth"]
    pulls.pull_with_crane(world, pulls.public_image(world))
    logs = run(
        ("kubectl", "logs", "--selector=app.kubernetes.io/name=aws-registry-proxy", "--all-containers", "--tail=-1",
         f"--namespace={world.namespace}")
    )  # fmt: skip
    objects = run(("kubectl", "get", "configmap,deployment,pod,event", f"--namespace={world.namespace}", "-o", "yaml"))
    assert '"status"' in logs, "the access log is missing"
    emitted = {"the Lambda": invocation.log + json.dumps(invocation.payload), "nginx": logs, "objects": objects}
    password = b64decode(token).decode().removeprefix("AWS:")
    found = {source: leaks(token, text) + leaks(password, text) for source, text in emitted.items()}
    assert found == {source: [] for source in emitted}
