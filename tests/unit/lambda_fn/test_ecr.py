"""What ECR's API answers becomes a credential or an error with its fix; botocore is real, its answers are given."""

import time
from datetime import timedelta
from threading import Barrier
from typing import Any

import boto3
import httpx2
import pytest
from botocore.exceptions import EndpointConnectionError

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.edges.ecr import Ecr
from tests.fakes.clock import STARTED_AT
from tests.fakes.ecr_api import EcrApi
from tests.leaks import LeakCheck, shown_with_locals

REGION = "ap-southeast-2"
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture
def api() -> EcrApi:
    return EcrApi()


def test_an_answer_becomes_a_credential(api: EcrApi) -> None:
    canary = LeakCheck()
    data = {
        "authorizationToken": canary.authorization,
        "proxyEndpoint": f"https://{HOST}",
        "expiresAt": STARTED_AT + timedelta(hours=12),
    }
    ecr = Ecr(api)
    for _ in range(2):
        api.answers.add_response("get_authorization_token", {"authorizationData": [data]}, {})
        found = ecr.fetch_credential(REGION, now=STARTED_AT, must_outlive=timedelta(hours=8))
        assert found.host == HOST
        assert found.authorization.reveal() == canary.authorization
    assert api.regions == [REGION]


@pytest.mark.parametrize(
    "changes",
    [{"expiresAt": STARTED_AT}, {"proxyEndpoint": "https://evil.example"}, {"authorizationToken": "not base64: {}"}],
    ids=["expired", "not an ECR address", "not base64"],
)
def test_a_refused_answer_leaves_no_token_in_a_traceback_with_locals(api: EcrApi, changes: dict[str, Any]) -> None:
    canary = LeakCheck()
    usual = {"authorizationToken": "{}", "proxyEndpoint": f"https://{HOST}", "expiresAt": STARTED_AT}
    data = {**usual, **changes}
    data["authorizationToken"] = data["authorizationToken"].format(canary.authorization)
    api.answers.add_response("get_authorization_token", {"authorizationData": [data]}, {})
    with pytest.raises(RegistryError) as caught:
        Ecr(api).fetch_credential(REGION, now=STARTED_AT, must_outlive=timedelta(hours=8))
    shown = shown_with_locals(caught.value)
    assert "region = 'ap-southeast-2'" in shown
    assert canary.leaks(shown) == []


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AccessDeniedException", "the Lambda's role needs ecr:GetAuthorizationToken on *"),
        ("ThrottlingException", "too many callers share this quota; the schedule tries again"),
        ("UnrecognizedClientException", "the region is not enabled for this account"),
        ("ServerException", "the schedule tries again"),
    ],
)
def test_a_refusal_is_an_error_with_the_fix(api: EcrApi, code: str, fix: str) -> None:
    api.answers.add_client_error("get_authorization_token", code, "words of ECR")
    with pytest.raises(RegistryError) as caught:
        Ecr(api).fetch_credential(REGION, now=STARTED_AT, must_outlive=timedelta(hours=8))
    assert f"ECR in {REGION} gives no token: {code}: words of ECR. Fix: {fix}" in str(caught.value)


def test_without_credentials_of_its_own_the_lambda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(RegistryError, match="cannot be reached: Unable to locate credentials"):
        Ecr(lambda region: boto3.Session().client("ecr", region_name=region)).fetch_credential(
            REGION, now=STARTED_AT, must_outlive=timedelta(hours=8)
        )


class Registry:
    """ECR's registry with one answer, and what it was asked."""

    def __init__(self, answer: httpx2.Response | Exception) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def verify(self, token: LeakCheck) -> str | None:
        """The warning about the token, or None."""
        return Ecr(transport=httpx2.MockTransport(self)).verify(HOST, Authorization(token.authorization))


def test_an_accepted_token_gives_no_warning() -> None:
    token, registry = LeakCheck(), Registry(httpx2.Response(200))
    assert registry.verify(token) is None
    [asked] = registry.asked
    assert (asked.method, str(asked.url)) == ("GET", f"https://{HOST}/v2/")
    assert asked.headers["Authorization"] == f"Basic {token.authorization}"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_token_is_an_error_with_the_host_and_the_status_and_without_the_token(status: int) -> None:
    token = LeakCheck()
    with pytest.raises(RegistryError) as caught:
        Registry(httpx2.Response(status)).verify(token)
    message = str(caught.value)
    assert HOST in message
    assert str(status) in message
    assert "Fix: " in message
    assert token.leaks(message) == []


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_another_status_is_a_warning_with_the_host_and_the_status(status: int) -> None:
    warning = Registry(httpx2.Response(status)).verify(LeakCheck())
    assert warning is not None
    assert HOST in warning
    assert str(status) in warning


def test_a_redirect_is_not_followed() -> None:
    registry = Registry(httpx2.Response(307, headers={"Location": "https://elsewhere.example/"}))
    assert "307" in (registry.verify(LeakCheck()) or "")
    assert [request.url.host for request in registry.asked] == [HOST]


def test_a_failure_of_the_machine_is_a_failure_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the run: other regions have their tokens."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("no file descriptors are left")

    with pytest.raises(RegistryError, match="no file descriptors"):
        Ecr(fails).fetch_credential(REGION, now=STARTED_AT, must_outlive=timedelta(hours=8))  # type: ignore[arg-type]
    monkeypatch.setattr("lambda_fn.edges.ecr.create_default_context", fails)
    assert "could not be asked" in str(Ecr().verify(HOST, Authorization("x")))


def test_the_token_is_not_sent_through_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks9://proxy.example")  # not a scheme: a client that reads it is not made
    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", lambda *_: httpx2.Response(200))
    assert Ecr().verify(HOST, Authorization(LeakCheck().authorization)) is None


@pytest.mark.parametrize("failure", [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ReadTimeout])
def test_a_registry_that_cannot_be_reached_is_a_warning_with_the_cause(failure: type[httpx2.HTTPError]) -> None:
    token = LeakCheck()
    warning = Registry(failure(f"text with {token.authorization}")).verify(token)
    assert warning is not None
    assert HOST in warning
    assert failure.__name__ in warning
    assert token.leaks(warning) == []


def test_calls_side_by_side_wait_at_the_same_time_and_keep_their_order() -> None:
    barrier = Barrier(20)

    def call(number: int) -> int:
        barrier.wait(timeout=10)
        return number

    assert Ecr().side_by_side(call, range(20)) == [*range(20)]


def test_threads_get_one_client_of_a_region() -> None:
    made: list[str] = []

    class Silent:
        def get_authorization_token(self) -> None:
            raise EndpointConnectionError(endpoint_url="https://api.ecr")

    def new_client(region: str) -> Any:  # noqa: ANN401 - a client of boto3
        time.sleep(0.05)  # as long as the other threads need to come here, too
        made.append(region)
        return Silent()

    def fetch(_: int) -> None:
        with pytest.raises(RegistryError):
            ecr.fetch_credential(REGION, now=STARTED_AT, must_outlive=timedelta(hours=8))

    ecr = Ecr(new_client)
    ecr.side_by_side(fetch, range(4))
    assert made == [REGION]
