"""What the doctor makes of each answer of the Kubernetes API, over a transport without a network."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from lightkube import Client
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User

from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import KubernetesError, RequestRefusedError, UnknownKindError, UnreachableError

ENDPOINT = "https://kubernetes.test"
BINDING = {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding"}
Answer = Callable[[httpx2.Request], httpx2.Response]


def kubernetes(answer: Answer) -> Kubernetes:
    config = SingleConfig(
        "eks", Context(cluster="eks", user="o", namespace="registry"), Cluster(server=ENDPOINT), User(token="t")
    )
    return Kubernetes(Client(config, transport=httpx2.MockTransport(answer)), cluster="shared")


def answering(status: int, body: dict[str, Any] | str = "") -> Kubernetes:
    if isinstance(body, str):
        return kubernetes(lambda _: httpx2.Response(status, text=body, headers={"Content-Type": "text/plain"}))
    return kubernetes(lambda _: httpx2.Response(status, json=body))


def refusal(status: int, message: str = "the API server's message") -> Kubernetes:
    return answering(status, {"kind": "Status", "code": status, "message": message})


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ({"apiVersion": "v1", "kind": "Secret"}, "/api/v1/namespaces/registry/secrets/any"),
        (BINDING, "/apis/elbv2.k8s.aws/v1beta1/namespaces/registry/targetgroupbindings/any"),
    ],
)
def test_an_object_is_found_by_kind_and_name(kind: dict[str, str], path: str) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json=kind | {"metadata": {"name": "any"}})

    found = kubernetes(answer).find_named(kind["kind"], "any", api_version=kind["apiVersion"])
    assert found is not None
    assert found["metadata"]["name"] == "any"
    assert asked == [path]


def test_a_cluster_wide_object_is_found_without_a_namespace() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={"metadata": {"name": "registry"}})

    assert kubernetes(answer).find({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "registry"}})
    assert asked == ["/api/v1/namespaces/registry"]


def test_a_missing_object_is_none() -> None:
    assert refusal(404).find_named("Secret", "any") is None


@pytest.mark.parametrize(
    ("api", "error", "message", "hint"),
    [
        (refusal(401), RequestRefusedError, "401", "access entry"),
        (refusal(403), RequestRefusedError, "get Secret any", "docs/operations.md"),
        (refusal(500), RequestRefusedError, "500", "EKS"),
        (answering(502, "bad gateway"), RequestRefusedError, "bad gateway", "EKS"),
        (answering(404, "404 page not found"), UnknownKindError, "get Secret any", "install"),
    ],
)
def test_a_refusal_names_the_request_and_the_fix(
    api: Kubernetes, error: type[KubernetesError], message: str, hint: str
) -> None:
    with pytest.raises(error) as caught:
        api.find_named("Secret", "any")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_api_that_does_not_answer_is_named_by_its_endpoint() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("timed out")

    with pytest.raises(UnreachableError) as caught:
        kubernetes(answer).find_named("Secret", "any")
    assert ENDPOINT in caught.value.message
    assert "VPN" in caught.value.hint


def test_pods_are_listed_by_their_labels() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.params["labelSelector"])
        return httpx2.Response(200, json={"items": [{"metadata": {"name": "first"}}]})

    (pod,) = kubernetes(answer).pods({"app": "proxy"})
    assert pod.metadata is not None
    assert pod.metadata.name == "first"
    assert asked == ["app=proxy"]


def test_a_log_is_its_lines_and_empty_where_it_cannot_be_read() -> None:
    assert answering(200, "one\ntwo\n").log("pod", "nginx", 2) == ["one", "two"]
    assert refusal(403).log("pod", "nginx", 2) == []
    assert refusal(404).log("pod", "nginx", 2) == []
