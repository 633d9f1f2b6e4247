"""An ECR that throttles or keeps failing is left alone for a while, and then asked by one request."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.asking import CLIENTS, ask_for_anything, herd, wait_until_asked
from tests.proxy.client import ACCEPT, Client

FAILURES = 3
"""So many in a row make it rest."""


@pytest.fixture(scope="module")
def timeouts() -> str:
    """A rest after failures is longer than any test."""
    return "ecr_seconds = 2\npause_seconds = 60"


@pytest.fixture(autouse=True)
def proxy(pod: Pod) -> Pod:
    """A serving pod of the test's own."""
    pod.start()
    return pod


def throttled(retry_after_seconds: int | None) -> Behaviour:
    return Behaviour(registry_status=429, registry_retry_after_seconds=retry_after_seconds)


@pytest.mark.rule("R31", "F6")
@pytest.mark.parametrize(("told", "passed_on"), [(7, "7"), (None, "1")])
@pytest.mark.parametrize(
    "what", ["manifests/1.4", f"manifests/sha256:{'a' * 64}", f"blobs/sha256:{'a' * 64}", "tags/list"]
)
def test_throttling_is_passed_on_with_a_time_to_wait(
    client: Client, control: Control, what: str, told: int | None, passed_on: str
) -> None:
    with control.behaving(throttled(told)):
        answer = client.get(f"/v2/team/app/{what}", ACCEPT)
    assert (answer.status, answer.error_code()) == (429, "TOOMANYREQUESTS")
    assert answer.header("Retry-After") == passed_on


@pytest.mark.rule("R31", "F6")
def test_an_ecr_that_throttles_is_left_alone_for_as_long_as_it_says(client: Client, control: Control) -> None:
    mark = control.mark()
    with control.behaving(throttled(50)):
        assert ask_for_anything(client).header("Retry-After") == "50"
        path = f"/v2/team/app/blobs/sha256:{secrets.token_hex(32)}"
        answers = [*herd(client), client.get(path), client.get(path)]
    assert {answer.status for answer in answers} == {429}
    assert all(20 <= int(answer.header("Retry-After") or 0) <= 50 for answer in answers)
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R31")
def test_an_ecr_that_asks_for_hours_is_left_alone_for_a_minute(client: Client, control: Control) -> None:
    with control.behaving(throttled(7200)):
        assert ask_for_anything(client).header("Retry-After") == "7200"
        assert 1 <= int(ask_for_anything(client).header("Retry-After") or 0) <= 60


@pytest.mark.rule("R31")
def test_an_answer_that_was_under_way_does_not_end_a_rest(client: Client, control: Control) -> None:
    mark = control.mark()
    path = f"/v2/team/app/manifests/{secrets.token_hex(8)}"
    with ThreadPoolExecutor(1) as pool, control.behaving(throttled(50)):
        with control.behaving(Behaviour(registry_delay_seconds=1)):
            under_way = pool.submit(ask_for_anything, client)
            wait_until_asked(control, mark)
        assert ask_for_anything(client).status == 429
        under_way.result()
        client.get(path, ACCEPT)
    assert path not in {entry.path for entry in control.requests(mark).entries}


@pytest.mark.rule("R31", "F6")
def test_when_its_rest_is_over_one_request_asks_ecr_and_the_others_do_not(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert ask_for_anything(client).status == 429
    time.sleep(1.2)
    mark = control.mark()
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=50, registry_delay_seconds=0.5)):
        assert {answer.status for answer in herd(client)} == {429}
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R31")
def test_an_ecr_that_is_well_again_is_asked_by_everybody(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert ask_for_anything(client).status == 429
    time.sleep(1.2)
    assert ask_for_anything(client).status == 404
    mark = control.mark()
    assert {answer.status for answer in herd(client)} == {404}
    assert control.requests(mark).count("registry") == CLIENTS


@pytest.mark.rule("R33", "F7", "F8")
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Behaviour(registry_status=500), 503), (Behaviour(registry_delay_seconds=20), 504)],
    ids=["500", "silent"],
)
def test_an_ecr_that_keeps_failing_is_left_alone_and_nobody_waits_for_it(
    client: Client, control: Control, fault: Behaviour, status: int
) -> None:
    with control.behaving(fault):
        assert [ask_for_anything(client).status for _ in range(FAILURES)] == [status] * FAILURES
        mark = control.mark()
        answers = herd(client)
    assert {(answer.status, answer.error_code()) for answer in answers} == {(503, "UNAVAILABLE")}
    assert all(int(answer.header("Retry-After") or 0) > 0 for answer in answers)
    assert control.requests(mark).entries == ()
    assert client.get("/-/ready").status == 200


@pytest.mark.rule("R31")
def test_an_ecr_that_fails_when_it_is_asked_again_is_left_alone_anew(client: Client, control: Control) -> None:
    with control.behaving(throttled(1)):
        assert ask_for_anything(client).status == 429
    time.sleep(1.2)
    with control.behaving(Behaviour(registry_status=500)):
        assert ask_for_anything(client).status == 503
        mark = control.mark()
        answers = herd(client)
    assert {(answer.status, answer.error_code()) for answer in answers} == {(503, "UNAVAILABLE")}
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R33")
def test_failures_now_and_then_do_not_make_ecr_rest(client: Client, control: Control) -> None:
    for _ in range(FAILURES):
        with control.behaving(Behaviour(registry_status=500)):
            assert [ask_for_anything(client).status for _ in range(FAILURES - 1)] == [503] * (FAILURES - 1)
        assert ask_for_anything(client).status == 404


@pytest.mark.rule("R31")
def test_a_redirect_that_is_kept_is_used_while_ecr_rests(
    client: Client, control: Control, publisher: Publisher
) -> None:
    content = secrets.token_bytes(2_000_000)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    assert client.get(path, {"Range": "bytes=0-9"}).status == 206
    with control.behaving(throttled(50)):
        assert ask_for_anything(client).status == 429
    assert client.get(path).body == content
