"""How patient requests are; the requests are given, so that no server is needed."""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from lightkube import ApiError, Client
from lightkube.core.generic_client import BasicRequest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.kubernetes_session import KubernetesSession, conflicts, is_missing
from lambda_fn.job.api_error import Action
from lambda_fn.job.connection import Connection
from tests.contract.cluster import grant_of, settings
from tests.fakes.clock import STARTED_AT, FakeClock

GET = Action("get", "secrets", "aws-registry")
ENDPOINT = "https://kubernetes.test"


class FakeAccess:
    """Counts the bearer tokens it gives."""

    def __init__(self) -> None:
        self.given = 0

    def bearer(self) -> Authorization:
        self.given += 1
        return Authorization(f"bearer-{self.given}")

    def explain_refusal(self) -> str:
        return "The access entry is gone."


class Given:
    """A request that fails with each of `failures` in turn and then answers with the client's bearer token."""

    def __init__(self, *failures: BaseException, forever: bool = False) -> None:
        self.failures = list(failures)
        self.forever = forever
        self.calls = 0

    def __call__(self, client: Client) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures[0] if self.forever else self.failures.pop(0)
        user = client.config.user
        assert user is not None
        return str(user.token)


def refused(
    status: int,
    headers: dict[str, str] | None = None,
    details: dict[str, Any] | None = None,
    message: str = "words of Kubernetes",
) -> ApiError:
    body = {"kind": "Status", "code": status, "message": message, "details": details or {}}
    response = httpx2.Response(status, json=body, headers=headers)
    return ApiError(request=httpx2.Request("GET", ENDPOINT), response=response)


CONFLICT = {
    "causes": [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit" using v1', "field": ".data.a"}
    ]
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(remaining_seconds=420)


@pytest.fixture
def access() -> FakeAccess:
    return FakeAccess()


@pytest.fixture
def new_session(certificate_authority: str, access: FakeAccess) -> Iterator[Callable[[FakeClock], KubernetesSession]]:
    opened = []

    def new(clock: FakeClock) -> KubernetesSession:
        connection = Connection(ENDPOINT, certificate_authority, "10.96.0.10")
        opened.append(KubernetesSession(grant_of(settings()), connection, access, clock))
        return opened[-1]

    yield new
    for session in opened:
        session.close()


@pytest.fixture
def session(new_session: Callable[[FakeClock], KubernetesSession], clock: FakeClock) -> KubernetesSession:
    return new_session(clock)


def test_a_request_that_succeeds_is_made_once(session: KubernetesSession, clock: FakeClock) -> None:
    request = Given()
    assert session.call(GET, request) == "bearer-1"
    assert (request.calls, clock.slept) == (1, [])


@pytest.mark.parametrize(
    "failure",
    [
        refused(409),
        refused(429),
        refused(500),
        refused(503),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
    ],
)
def test_what_may_pass_is_tried_again(session: KubernetesSession, clock: FakeClock, failure: Exception) -> None:
    request = Given(failure, failure)
    session.call(GET, request)
    assert request.calls == 3
    assert 0 < clock.slept[0] < clock.slept[1] + 0.5


@pytest.mark.parametrize("status", [400, 404, 405, 415, 422])
def test_what_will_not_pass_fails_at_once(session: KubernetesSession, clock: FakeClock, status: int) -> None:
    with pytest.raises(ClusterError):
        session.call(GET, Given(refused(status), forever=True))
    assert clock.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
def test_what_admission_control_refuses_is_not_tried_again(
    session: KubernetesSession, clock: FakeClock, status: int
) -> None:
    message = "ValidatingAdmissionPolicy 'require-owner' with binding 'all' denied request: give it an owner"
    with pytest.raises(ClusterError, match="'require-owner' with binding 'all' denied request: give it an owner"):
        session.call(GET, Given(refused(status, message=message), forever=True))
    assert clock.slept == []


def test_the_server_is_given_the_pause_it_asks_for(session: KubernetesSession, clock: FakeClock) -> None:
    session.call(GET, Given(refused(429, {"Retry-After": "17"})))
    assert clock.slept == [17]


@pytest.mark.parametrize("asked", ["0", "", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_server_that_asks_for_no_pause_gets_one(session: KubernetesSession, clock: FakeClock, asked: str) -> None:
    session.call(GET, Given(refused(429, {"Retry-After": asked})))
    assert clock.slept[0] >= 0.5


def test_a_fresh_access_entry_is_waited_for_with_new_bearer_tokens(
    session: KubernetesSession, clock: FakeClock, access: FakeAccess
) -> None:
    assert session.call(GET, Given(refused(401), refused(401), refused(403))) == "bearer-3"
    assert access.given == 3
    assert sum(clock.slept) < 60


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_failure_that_stays_is_an_error_after_a_minute(
    session: KubernetesSession, clock: FakeClock, status: int
) -> None:
    with pytest.raises(ClusterError):
        session.call(GET, Given(refused(status), forever=True))
    assert 45 < sum(clock.slept) <= 60


def test_a_run_is_patient_with_refusals_for_one_minute_in_all(session: KubernetesSession, clock: FakeClock) -> None:
    for _ in range(2):
        with pytest.raises(ClusterError):
            session.call(GET, Given(refused(403), forever=True))
    assert sum(clock.slept) <= 60


def test_a_refusal_long_after_an_earlier_one_passed_is_waited_out_too(
    session: KubernetesSession, clock: FakeClock
) -> None:
    session.call(GET, Given(refused(403)))
    clock.sleep(120)
    assert session.call(GET, Given(refused(401), refused(403))) == "bearer-2"


def test_patience_ends_in_time_to_report(new_session: Callable[[FakeClock], KubernetesSession]) -> None:
    clock = FakeClock(remaining_seconds=40)
    with pytest.raises(ClusterError):
        new_session(clock).call(GET, Given(refused(503), forever=True))
    assert clock.remaining_seconds() >= 15
    assert sum(clock.slept) > 10


def test_a_pause_longer_than_the_time_left_is_not_begun(new_session: Callable[[FakeClock], KubernetesSession]) -> None:
    clock = FakeClock(remaining_seconds=40)
    with pytest.raises(ClusterError):
        new_session(clock).call(GET, Given(refused(429, {"Retry-After": "30"}), forever=True))
    assert clock.slept == []


@pytest.mark.parametrize("asked", ["61", "999999999999", "9" * 400, "9" * 5000])
def test_a_server_that_asks_for_more_than_a_minute_is_not_waited_for(
    session: KubernetesSession, clock: FakeClock, asked: str
) -> None:
    with pytest.raises(ClusterError, match="words of Kubernetes"):
        session.call(GET, Given(refused(429, {"Retry-After": asked}), forever=True))
    assert clock.slept == []


def test_an_impatient_request_is_made_once(session: KubernetesSession, clock: FakeClock) -> None:
    with pytest.raises(ClusterError):
        session.call(GET, Given(refused(403), forever=True), patient=False)
    assert clock.slept == []


def test_a_bearer_token_is_replaced_before_it_dies(
    session: KubernetesSession, clock: FakeClock, access: FakeAccess
) -> None:
    session.call(GET, Given())
    clock.sleep(timedelta(minutes=9).total_seconds())
    assert session.call(GET, Given()) == "bearer-1"
    clock.sleep(timedelta(minutes=2).total_seconds())
    assert session.call(GET, Given()) == "bearer-2"
    assert access.given == 2
    assert clock.now() - STARTED_AT == timedelta(minutes=11)


def test_answers_are_the_callers(session: KubernetesSession, clock: FakeClock) -> None:
    with pytest.raises(ApiError) as missing:
        session.call(GET, Given(refused(404)), answers=is_missing)
    assert is_missing(missing.value)
    with pytest.raises(ApiError) as conflict:
        session.call(GET, Given(refused(409, details=CONFLICT)), answers=lambda error: bool(conflicts(error)))
    assert conflicts(conflict.value) == ('.data.a (conflict with "kubectl-edit" using v1)',)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            refused(401),
            "Kubernetes does not know the Lambda's role (401 on: get secrets aws-registry). The access entry is gone.",
        ),
        (
            refused(403),
            "Kubernetes forbids the Lambda to get secrets aws-registry in namespace registry. Fix: apply the charts",
        ),
        (
            refused(422),
            "Kubernetes does not accept the object (422 on: get secrets aws-registry in namespace registry)",
        ),
        (refused(500), "Kubernetes answers 500 on: get secrets aws-registry"),
        (
            httpx2.ConnectTimeout("timed out"),
            f"the Kubernetes API at {ENDPOINT} cannot be reached (get secrets aws-registry): ConnectTimeout: ",
        ),
    ],
)
def test_a_failure_is_explained(session: KubernetesSession, failure: Exception, message: str) -> None:
    with pytest.raises(ClusterError) as caught:
        session.call(GET, Given(failure, forever=True))
    assert message in str(caught.value)
    assert "bearer-" not in str(caught.value)


def test_a_certificate_that_is_refused_is_an_error_at_once(session: KubernetesSession, clock: FakeClock) -> None:
    failure, reason = httpx2.ConnectError("[SSL] failed"), ssl.SSLCertVerificationError(1, "failed")
    reason.verify_message = "unable to get local issuer certificate"
    failure.__cause__ = reason
    with pytest.raises(ClusterError, match=rf"{ENDPOINT} shows a certificate that is not accepted .*: unable to get"):
        session.call(GET, Given(failure, forever=True))
    assert clock.slept == []


def answered(response: httpx2.Response) -> Callable[[Client], str]:
    """A request that lightkube sends and that is answered so."""

    def request(client: Client) -> str:
        response.request = httpx2.Request("GET", ENDPOINT)
        client._client.handle_response("get", response, BasicRequest("GET", ENDPOINT))  # noqa: SLF001 - what get() does
        raise AssertionError("lightkube raises no error")

    return request


@pytest.mark.parametrize(
    "response",
    [
        httpx2.Response(503),
        httpx2.Response(503, headers={"Content-Type": "application/json"}, content=b"<html>"),
        httpx2.Response(503, json="starting"),
        httpx2.Response(503, text="starting"),
    ],
    ids=["empty", "HTML called JSON", "JSON but no Status", "text"],
)
def test_an_answer_that_is_no_status_is_tried_again_and_explained_like_any_other(
    session: KubernetesSession, clock: FakeClock, response: httpx2.Response
) -> None:
    with pytest.raises(ClusterError, match="Kubernetes answers 503 on: get secrets aws-registry in namespace registry"):
        session.call(GET, answered(response))
    assert sum(clock.slept) > 45


def test_a_defect_in_a_request_is_not_taken_for_an_answer(session: KubernetesSession, clock: FakeClock) -> None:
    with pytest.raises(KeyError, match="mine"):
        session.call(GET, Given(KeyError("mine")))
    assert clock.slept == []


@pytest.mark.parametrize("authority", ["bm8gUEVN", "A"])
def test_a_certificate_authority_that_is_none_is_an_error(authority: str, clock: FakeClock, access: FakeAccess) -> None:
    session = KubernetesSession(grant_of(settings()), Connection(ENDPOINT, authority, "10.96.0.10"), access, clock)
    with pytest.raises(
        ClusterError, match=r"certificate authority is not a PEM.*cluster\.certificate_authority"
    ) as caught:
        session.call(GET, Given())
    assert isinstance(caught.value.__cause__, ssl.SSLError | ValueError)
    assert access.given == 0
