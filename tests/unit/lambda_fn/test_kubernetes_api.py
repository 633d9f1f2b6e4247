"""The requests to the Kubernetes API and how each answer is understood, over a transport without a network.

`tests/cluster/test_kubernetes_api.py` proves the same port on a real API server.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.kubernetes_api import KubernetesApi
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.job.connection import Connection
from lambda_fn.settings import Settings
from tests.contract.cluster import grant_of
from tests.contract.cluster import settings as contract_settings
from tests.fakes.clock import FakeClock

SETTINGS: Settings = contract_settings()
NAMES, NAMESPACE = SETTINGS.names, SETTINGS.cluster.namespace
CORE, APPS = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/apps/v1/namespaces/{NAMESPACE}"
TEMPLATE = f"{CORE}/configmaps/{NAMES.template_config_map}"
CONFIGURATION = f"{CORE}/configmaps/{NAMES.config_map}"
SECRET = f"{CORE}/secrets/{NAMES.secret}"
DEPLOYMENT = f"{APPS}/deployments/{NAMES.workload}"
PODS = f"{CORE}/pods"


def status(code: int, message: str = "the API server's message", **details: object) -> tuple[int, dict[str, Any]]:
    return code, {"kind": "Status", "code": code, "message": message, "details": details}


class Api:
    """Answers each request from a list, or with 404.

    Attributes:
        answers: For a method and a path, the answers in turn; the last one stays. An object stands for 200.
        requests: What was sent.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Any]] = {}
        self.requests: list[httpx2.Request] = []

    def set(self, method: str, path: str, *answers: object) -> None:
        self.answers[method, path] = list(answers)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        waiting = self.answers.get((request.method, request.url.path), [status(404)])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, str):
            return httpx2.Response(200, text=answer)
        code, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx2.Response(code, json=body)

    def sent(self, method: str) -> list[httpx2.Request]:
        return [request for request in self.requests if request.method == method]


class FakeAccess:
    """Has a bearer token."""

    def bearer(self) -> Authorization:
        return Authorization("bearer")

    def explain_refusal(self) -> str:
        return "The access entry is missing."


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def cluster(api: Api, certificate_authority: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesApi]:
    """The port over the fake transport, with too little time left to try a request again."""
    transport = httpx2.MockTransport(api.answer)
    monkeypatch.setattr(httpx2, "HTTPTransport", lambda **_: transport)
    connection = Connection("https://kubernetes.test", certificate_authority, "10.96.0.10")
    session = KubernetesSession(grant_of(SETTINGS), connection, FakeAccess(), FakeClock(remaining_seconds=0))
    with closing(session):
        yield KubernetesApi(SETTINGS.names, SETTINGS.cluster.namespace, session)


def config_map(key: str, text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}, "data": {key: text}}


def deployment(**spec: object) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": NAMES.workload}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAMES.workload, "namespace": NAMESPACE, "generation": 1},
        "spec": {"selector": {"matchLabels": labels}, "template": template, "replicas": 2} | spec,
    }


def test_the_template_is_read_from_its_config_map(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", TEMPLATE, config_map("nginx.conf.j2", "events {}"))
    assert cluster.read_template() == "events {}"
    (request,) = api.requests
    assert request.headers["Authorization"] == "Bearer bearer"


@pytest.mark.parametrize("there", [[], [config_map("another-key", "")], [{"metadata": {"name": "any"}}]], ids=str)
def test_a_missing_template_is_an_error_that_names_the_config_map(
    api: Api, cluster: KubernetesApi, there: list[dict[str, Any]]
) -> None:
    if there:
        api.set("GET", TEMPLATE, *there)
    with pytest.raises(ClusterError, match=NAMES.template_config_map):
        cluster.read_template()


def test_the_configuration_and_the_workload_may_be_missing(cluster: KubernetesApi) -> None:
    assert cluster.read_configuration() is None
    assert cluster.read_workload() is None


def test_the_configuration_is_read_from_its_config_map(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", CONFIGURATION, config_map("nginx.conf", "events {}"))
    assert cluster.read_configuration() == "events {}"


def test_the_workload_is_read_from_the_deployment(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", DEPLOYMENT, deployment() | {"status": {"replicas": 2, "availableReplicas": 1}})
    workload = cluster.read_workload()
    assert workload is not None
    assert (workload.wanted, workload.ready, workload.complete) == (2, 1, False)


def test_a_refusal_is_an_error_that_names_the_request_and_the_role(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", DEPLOYMENT, status(403))
    with pytest.raises(ClusterError, match=f"get deployments {NAMES.workload}.*{NAMES.workload}-refresher"):
        cluster.read_workload()


@pytest.mark.parametrize(
    ("data", "expiry"),
    [
        ({"expires_at": base64.b64encode(b"2026-11-23T21:00:00Z").decode()}, "2026-11-23T21:00:00+00:00"),
        ({"expires_at": base64.b64encode(b"tomorrow").decode()}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_expiry_is_read_from_the_secret(
    api: Api, cluster: KubernetesApi, data: dict[str, str] | None, expiry: str | None
) -> None:
    api.set("GET", SECRET, {"metadata": {"name": NAMES.secret}, "data": data})
    found = cluster.read_expiry()
    assert (found and found.isoformat()) == expiry


def test_the_expiry_is_asked_for_once(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", SECRET, status(503))
    with pytest.raises(ClusterError, match="503"):
        cluster.read_expiry()
    assert len(api.requests) == 1


MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": NAMES.config_map, "namespace": NAMESPACE},
    "data": {"nginx.conf": "events {}"},
}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_missing_object_is_created_by_a_server_side_apply(api: Api, cluster: KubernetesApi, *, dry_run: bool) -> None:
    api.set("PATCH", CONFIGURATION, MANIFEST)
    applied = cluster.apply(MANIFEST, dry_run=dry_run)
    assert (applied.changed, applied.taken_over) == (True, ())
    (request,) = api.sent("PATCH")
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert request.url.params["fieldManager"] == "ecr-frontdoor"
    assert request.url.params.get("force") in {None, "false"}
    assert request.url.params.get("dryRun") == ("All" if dry_run else None)
    assert json.loads(request.content)["data"] == MANIFEST["data"]


def with_version(version: int) -> dict[str, Any]:
    bookkeeping = {"resourceVersion": str(version), "generation": version, "managedFields": [{"manager": str(version)}]}
    return MANIFEST | {"metadata": MANIFEST["metadata"] | bookkeeping, "status": {"any": version}}


def test_an_apply_that_changes_only_the_servers_own_records_is_no_change(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", CONFIGURATION, with_version(1))
    api.set("PATCH", CONFIGURATION, with_version(2))
    assert not cluster.apply(MANIFEST, dry_run=False).changed


def test_a_field_of_another_manager_is_named_and_taken_over(api: Api, cluster: KubernetesApi) -> None:
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit"', "field": ".data.nginx.conf"}
    api.set("GET", CONFIGURATION, MANIFEST | {"data": {"nginx.conf": "edited"}})
    api.set("PATCH", CONFIGURATION, status(409, causes=[cause]), MANIFEST)
    applied = cluster.apply(MANIFEST, dry_run=False)
    assert applied.changed
    assert applied.taken_over == ('.data.nginx.conf (conflict with "kubectl-edit")',)
    assert [request.url.params.get("force") for request in api.sent("PATCH")][1] == "true"


def test_another_conflict_is_not_forced(api: Api, cluster: KubernetesApi) -> None:
    api.set("PATCH", CONFIGURATION, status(409))
    with pytest.raises(ClusterError, match="409"):
        cluster.apply(MANIFEST, dry_run=False)
    assert {request.url.params.get("force") for request in api.sent("PATCH")} <= {None, "false"}


def test_a_missing_deployment_is_an_error_and_nothing_is_sent(api: Api, cluster: KubernetesApi) -> None:
    rollout = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAMES.workload}, "spec": {}}
    with pytest.raises(ClusterError, match=f"Deployment {NAMES.workload}"):
        cluster.apply(rollout, dry_run=False)
    assert api.sent("PATCH") == []


def unready(**state: object) -> dict[str, Any]:
    status_ = {"name": "nginx", "image": "nginx", "imageID": "", "ready": False, "restartCount": 0, "state": state}
    return {"items": [{"metadata": {"name": "new"}, "status": {"containerStatuses": [status_]}}]}


CRASHED = unready(terminated={"exitCode": 1, "reason": "Error"})


def test_a_stuck_rollout_is_explained_by_its_pod_and_the_last_lines_of_its_log(
    api: Api, cluster: KubernetesApi
) -> None:
    api.set("GET", DEPLOYMENT, deployment())
    api.set("GET", PODS, CRASHED)
    api.set("GET", f"{PODS}/new/log", "emerg: unknown directive\n")
    text = cluster.explain_stuck_rollout()
    assert "pod new, container nginx: Error, exit code 1" in text
    assert "emerg: unknown directive" in text
    listed = next(request for request in api.requests if request.url.path == PODS)
    assert listed.url.params["labelSelector"] == f"app.kubernetes.io/name={NAMES.workload}"


def test_a_log_that_cannot_be_read_does_not_hide_the_pod(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", DEPLOYMENT, deployment())
    api.set("GET", PODS, CRASHED)
    api.set("GET", f"{PODS}/new/log", status(403))
    text = cluster.explain_stuck_rollout()
    assert "pod new, container nginx" in text
    assert "get pods/log new" in text


def test_a_pod_without_a_container_has_no_log_to_read(api: Api, cluster: KubernetesApi) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}
    api.set("GET", DEPLOYMENT, deployment())
    api.set("GET", PODS, {"items": [{"metadata": {"name": "new"}, "status": {"conditions": [condition]}}]})
    assert "pod new: Unschedulable: no node" in cluster.explain_stuck_rollout()
    assert not any(request.url.path.endswith("/log") for request in api.requests)


def test_pods_that_may_not_be_listed_are_part_of_the_explanation(api: Api, cluster: KubernetesApi) -> None:
    api.set("GET", DEPLOYMENT, deployment())
    api.set("GET", PODS, status(403))
    assert "list pods" in cluster.explain_stuck_rollout()


def test_a_stuck_rollout_without_a_deployment_or_an_unready_pod_is_explained(api: Api, cluster: KubernetesApi) -> None:
    assert "Deployment" in cluster.explain_stuck_rollout()
    api.set("GET", DEPLOYMENT, deployment())
    api.set("GET", PODS, {"items": []})
    assert "Deployment" in cluster.explain_stuck_rollout()
