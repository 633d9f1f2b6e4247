"""The rendered configuration beside the template and beside the pods, and the state of the pods."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.models.core_v1 import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodStatus,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

import k8s_manifests
from cli.doctor.checks import configuration, pods
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, Verdict
from lambda_fn.contract.objects import CONFIG_KEY, CONFIG_SHA256, TEMPLATE_KEY
from lambda_fn.job.configuration import rendered
from lambda_fn.job.connection import Connection
from lambda_fn.job.manifests import digest
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor import account
from tests.unit.doctor.account import GROUPS, SETTINGS, findings, with_cluster

OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED
HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
RESOLVER = "10.96.0.10"
NAMES = SETTINGS.names


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(host: str = HOST) -> dict[str, Any]:
    data = {
        "expires_at": encoded(f"{datetime(2026, 1, 1, tzinfo=UTC):%FT%TZ}"),
        ".dockerconfigjson": encoded(json.dumps({"auths": {host: {"auth": encoded("AWS:any")}}})),
    }
    return {"kind": "Secret", "metadata": {"name": NAMES.secret}, "data": data}


def template() -> str:
    documents = k8s_manifests.documents(SETTINGS, target_groups=GROUPS)
    (found,) = [one for one in documents if one["metadata"]["name"] == NAMES.template_config_map]
    return str(found["data"][TEMPLATE_KEY])


def deployment(of: str, status: dict[str, Any] | None = None) -> dict[str, Any]:
    """The Deployment, rolled out with this configuration."""
    documents = k8s_manifests.documents(SETTINGS, target_groups=GROUPS)
    (found,) = [one for one in documents if one["kind"] == "Deployment"]
    pod_template = found["spec"]["template"]["metadata"]
    pod_template.setdefault("annotations", {})[CONFIG_SHA256] = digest(of)
    return found | {"status": status or {}}


def config_map(name: str, key: str, text: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": {key: text}}


def cluster(text: str, *, rolled_out: str | None = None, **changed: Any) -> CheckContext:  # noqa: ANN401 - JSON
    there = {
        "template": config_map(NAMES.template_config_map, TEMPLATE_KEY, template()),
        "secret": secret(),
        "deployment": deployment(rolled_out or text),
        "configuration": config_map(NAMES.config_map, CONFIG_KEY, text),
    } | changed
    given = with_cluster(account.context(), FakeKubernetes(one for one in there.values() if one))
    given.__dict__["connection"] = Connection("https://cluster.example", "authority", RESOLVER)
    return given


def expected() -> str:
    return rendered(SETTINGS, (HOST,), RESOLVER, template())


def only(given: CheckContext) -> Finding:
    (one,) = findings(configuration.CHECK, given)
    return one


def test_a_configuration_that_the_template_gives_is_ok() -> None:
    assert only(cluster(expected())).verdict is OK


def test_a_configuration_from_before_may_be_that_of_a_rollback() -> None:
    one = only(cluster("# from before"))
    assert (one.check, one.verdict) == ("configuration", WARNING)
    assert "rollback" in one.hint
    assert "deploy" in one.hint


def test_a_configuration_that_the_pods_were_not_rolled_out_with_is_a_failure() -> None:
    one = only(cluster("# edited", rolled_out="# before"))
    assert one.verdict is FAILED
    assert f"ConfigMap {NAMES.config_map}" in one.message
    assert "run a refresh" in one.hint


def test_a_missing_configuration_is_a_failure() -> None:
    one = only(cluster("", configuration=None))
    assert one.verdict is FAILED
    assert f"ConfigMap {NAMES.config_map}" in one.message


def test_a_template_that_does_not_render_is_a_failure_that_names_the_place() -> None:
    wrong = config_map(NAMES.template_config_map, TEMPLATE_KEY, "{{ no_such_name }}")
    one = only(cluster("# any", template=wrong))
    assert one.verdict is FAILED
    assert "no_such_name" in one.message


@pytest.mark.parametrize(
    "changed",
    [{"template": None}, {"secret": None}, {"secret": secret("other.example.net")}, {"deployment": None}],
    ids=str,
)
def test_a_missing_object_is_left_to_the_check_that_reports_it(changed: dict[str, Any]) -> None:
    assert findings(configuration.CHECK, cluster(expected(), **changed)) == []


READY = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}


def with_pods(status: dict[str, Any], *listed: Pod) -> CheckContext:
    there = deployment("# any", status)
    there["metadata"] |= {"generation": 1}
    return with_cluster(account.context(), FakeKubernetes([there], pods=listed))


def unready(message: str) -> Pod:
    waiting = ContainerStateWaiting(reason="ImagePullBackOff", message=message)
    state = ContainerStatus(
        image="nginx",
        imageID="",
        name="nginx",
        ready=False,
        restartCount=0,
        state=ContainerState(waiting=waiting),
    )
    return Pod(metadata=ObjectMeta(name="new"), status=PodStatus(containerStatuses=[state]))


def test_a_complete_rollout_is_ok() -> None:
    (one,) = findings(pods.CHECK, with_pods(READY))
    assert (one.verdict, one.message[:6]) == (OK, "2 of 2")


@pytest.mark.parametrize(("ready", "verdict"), [(1, WARNING), (0, FAILED)])
def test_an_incomplete_rollout_names_the_pod_the_reason_and_its_log(ready: int, verdict: Verdict) -> None:
    status = READY | {"readyReplicas": ready, "availableReplicas": ready}
    (one,) = findings(pods.CHECK, with_pods(status, unready("no such tag")))
    assert one.verdict is verdict
    assert f"{ready} of 2" in one.message
    assert "pod new, container nginx: ImagePullBackOff: no such tag" in one.message
    assert "nginx of new, line 2" in one.message


def test_a_pod_that_ended_at_its_memory_limit_within_a_week_is_a_warning() -> None:
    def ended(days: int) -> Pod:
        one = unready("")
        assert one.status is not None
        assert one.status.containerStatuses
        (status,) = one.status.containerStatuses
        finished_at = datetime.now(UTC) - timedelta(days=days)
        out_of_memory = ContainerStateTerminated(exitCode=137, reason="OOMKilled", finishedAt=finished_at)
        status.lastState = ContainerState(terminated=out_of_memory)
        return one

    killed, complete = findings(pods.CHECK, with_pods(READY, ended(6), ended(8)))
    assert (killed.verdict, complete.verdict) == (WARNING, OK)
    assert killed.message.startswith("container nginx of pod new was killed at ")


def test_without_a_deployment_the_pods_are_left_to_the_check_of_the_objects() -> None:
    assert findings(pods.CHECK, with_cluster(account.context(), FakeKubernetes())) == []
