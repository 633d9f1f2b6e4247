"""The circuit breaker: throttling or repeated failures of ECR open it, one probe closes it."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from tests.proxy.client import ACCEPT, Client
from tests.proxy.traffic import (
    CLIENTS,
    concurrent_answers,
    request_unknown_tag,
    seconds_until_ecr_is_asked,
    wait_until_requested,
)

FAILURES = 3
"""As many in a row open the circuit."""
DIGEST = f"sha256:{secrets.token_hex(32)}"
PROBE_SECONDS = 1.0

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    """After failures, the circuit stays open for longer than any test takes; a lost probe blocks ECR for 11 s."""
    return "ecr_seconds = 2\npause_seconds = 60"


def throttled(retry_after_seconds: int | None) -> Behaviour:
    return Behaviour(registry_status=429, registry_retry_after_seconds=retry_after_seconds)


@pytest.mark.rule("R31", "F6")
@pytest.mark.parametrize(("retry_after", "passed_on"), [(7, "7"), (None, "1")])
@pytest.mark.parametrize(
    "what", ["manifests/1.4", f"manifests/sha256:{'a' * 64}", f"blobs/sha256:{'a' * 64}", "tags/list"]
)
def test_throttling_is_passed_on_with_retry_after(
    client: Client, control: Control, what: str, retry_after: int | None, passed_on: str
) -> None:
    with control.behaving(throttled(retry_after)):
        answer = client.get(f"/v2/team/app/{what}", ACCEPT)
    assert (answer.status, answer.error_code()) == (429, "TOOMANYREQUESTS")
    assert answer.header("Retry-After") == passed_on


@pytest.mark.rule("R31", "F6")
def test_throttling_opens_the_circuit_for_the_retry_after_of_ecr(client: Client, control: Control) -> None:
    mark = control.mark()
    with control.behaving(throttled(50)):
        assert request_unknown_tag(client).header("Retry-After") == "50"
        path = f"/v2/team/app/blobs/sha256:{secrets.token_hex(32)}"
        answers = [*concurrent_answers(client), client.get(path), client.get(path)]
    assert {answer.status for answer in answers} == {429}
    assert all(20 <= int(answer.header("Retry-After") or 0) <= 50 for answer in answers)
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R31")
def test_throttling_opens_the_circuit_for_at_most_a_minute(client: Client, control: Control) -> None:
    with control.behaving(throttled(7200)):
        assert request_unknown_tag(client).header("Retry-After") == "7200"
        assert 1 <= int(request_unknown_tag(client).header("Retry-After") or 0) <= 60


@pytest.mark.rule("R31")
def test_the_answer_to_an_older_request_does_not_close_the_circuit(client: Client, control: Control) -> None:
    mark = control.mark()
    path = f"/v2/team/app/manifests/{secrets.token_hex(8)}"
    with ThreadPoolExecutor(1) as pool, control.behaving(throttled(50)):
        with control.behaving(Behaviour(registry_delay_seconds=1)):
            # One request to ECR, and not the two of a missing tag.
            under_way = pool.submit(client.get, "/v2/team/app/tags/list")
            wait_until_requested(control, mark)
        assert request_unknown_tag(client).status == 429
        under_way.result()
        client.get(path, ACCEPT)
    assert path not in {entry.path for entry in control.requests(mark).entries}


@pytest.mark.rule("R31", "F6")
def test_a_half_open_circuit_sends_one_probe(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1.2)
    mark = control.mark()
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=50, registry_delay_seconds=0.5)):
        assert {answer.status for answer in concurrent_answers(client)} == {429}
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R31")
def test_a_successful_probe_closes_the_circuit(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1.2)
    assert request_unknown_tag(client).status == 404
    mark = control.mark()
    assert {answer.status for answer in concurrent_answers(client)} == {404}
    assert [entry.method for entry in control.requests(mark).entries].count("HEAD") == CLIENTS


@pytest.mark.rule("R33", "F7", "F8")
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Behaviour(registry_status=500), 503), (Behaviour(registry_delay_seconds=20), 504)],
    ids=["500", "silent"],
)
def test_repeated_failures_open_the_circuit_and_requests_fail_at_once(
    client: Client, control: Control, fault: Behaviour, status: int
) -> None:
    with control.behaving(fault):
        assert [request_unknown_tag(client).status for _ in range(FAILURES)] == [status] * FAILURES
        mark = control.mark()
        answers = concurrent_answers(client)
    assert {(answer.status, answer.error_code()) for answer in answers} == {(503, "UNAVAILABLE")}
    assert all(int(answer.header("Retry-After") or 0) > 0 for answer in answers)
    assert control.requests(mark).entries == ()
    assert client.get("/-/ready").status == 200


@pytest.mark.rule("R31")
def test_a_failed_probe_opens_the_circuit_again(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1.2)
    with control.behaving(Behaviour(registry_status=500)):
        assert request_unknown_tag(client).status == 503
        mark = control.mark()
        answers = concurrent_answers(client)
    assert {(answer.status, answer.error_code()) for answer in answers} == {(503, "UNAVAILABLE")}
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R33")
def test_failures_that_are_not_in_a_row_do_not_open_the_circuit(client: Client, control: Control) -> None:
    for _ in range(FAILURES):
        with control.behaving(Behaviour(registry_status=500)):
            assert [request_unknown_tag(client).status for _ in range(FAILURES - 1)] == [503] * (FAILURES - 1)
        assert request_unknown_tag(client).status == 404


@pytest.mark.rule("R31")
def test_a_cached_redirect_is_used_while_the_circuit_is_open(
    client: Client, control: Control, publisher: Publisher
) -> None:
    content = secrets.token_bytes(2_000_000)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    assert client.get(path, {"Range": "bytes=0-9"}).status == 206
    with control.behaving(throttled(50)):
        assert request_unknown_tag(client).status == 429
    assert client.get(path).body == content


@pytest.mark.rule("R52")
@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", "tags/list"),
        ("GET", f"referrers/{DIGEST}"),
        ("GET", "manifests/1.4"),
        ("HEAD", f"blobs/{DIGEST}"),
    ],
)
def test_a_client_that_hangs_up_does_not_lose_the_probe(
    client: Client, control: Control, method: str, what: str
) -> None:
    with control.behaving(throttled(1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1.2)
    mark = control.mark()
    slow = control.behaving(Behaviour(registry_delay_seconds=PROBE_SECONDS))
    with slow, closing(client.open(method, f"/v2/team/app/{what}", ACCEPT)):
        wait_until_requested(control, mark)
    assert seconds_until_ecr_is_asked(client) < PROBE_SECONDS + 0.5
