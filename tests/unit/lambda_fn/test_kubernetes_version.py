"""What the API server says of its version; the answers are given, so that no server is needed."""

from typing import Any

import httpx2
import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.kubernetes_version import version_of
from lambda_fn.job.connection import Connection

ENDPOINT = "https://kubernetes.test"
UNKNOWN = Connection(ENDPOINT, "Q0E=", "10.96.0.10")
OF_EKS = {"major": "1", "minor": "34+", "gitVersion": "v1.34.2-eks-ecaa3a6"}


def bearer() -> Authorization:
    return Authorization("bearer-1")


def answering(status: int, **content: Any) -> httpx2.MockTransport:  # noqa: ANN401 - as httpx2.Response takes it
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert (str(request.url), request.headers["Authorization"]) == (f"{ENDPOINT}/version", "Bearer bearer-1")
        return httpx2.Response(status, **content)

    return httpx2.MockTransport(answer)


def test_the_api_server_is_asked_where_eks_was_not() -> None:
    assert version_of(UNKNOWN, bearer, transport=answering(200, json=OF_EKS)) == "1.34"


def test_the_api_server_is_not_asked_where_eks_was() -> None:
    known = Connection(ENDPOINT, "Q0E=", "10.96.0.10", "1.36")
    assert version_of(known, bearer, transport=answering(200, json=OF_EKS)) == "1.36"


@pytest.mark.parametrize(
    "transport",
    [
        answering(401, json={}),
        answering(200, text="a page"),
        answering(200, json=[]),
        answering(200, json={}),
        answering(200, json={"gitVersion": None}),
        answering(200, json={"gitVersion": "main"}),
        answering(302, headers={"Location": "https://elsewhere.test"}),
    ],
    ids=["refused", "text", "list", "nothing", "null", "no number", "redirect"],
)
def test_any_other_answer_is_an_unknown_version(transport: httpx2.MockTransport) -> None:
    assert version_of(UNKNOWN, bearer, transport=transport) is None


def test_an_api_server_that_does_not_answer_has_an_unknown_version() -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("late", request=request)

    assert version_of(UNKNOWN, bearer, transport=httpx2.MockTransport(fail)) is None


def test_without_credentials_and_without_a_certificate_the_version_is_unknown() -> None:
    def fail() -> Authorization:
        raise ClusterError("no credentials")

    assert version_of(UNKNOWN, fail) is None
    assert version_of(UNKNOWN, bearer) is None
