"""Answers to requests from before the circuit opened change neither the open circuit nor its probe."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from tests.proxy.client import Answer, Client
from tests.proxy.traffic import request_unknown_tag, wait_until_requested

TAGS, MANIFESTS = frozenset({"ecr:ListImages"}), frozenset({"ecr:BatchGetImage"})
THROTTLED = Behaviour(registry_status=429, registry_retry_after_seconds=50)
HEALTHY, FAILING = Behaviour(), Behaviour(registry_status=500)

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    """ECR may delay an answer, and the circuit stays open after failures, for longer than any test takes."""
    return "ecr_seconds = 120\npause_seconds = 60"


@pytest.fixture
def pool(control: Control) -> Iterator[ThreadPoolExecutor]:
    """Clients whose answers may be delayed until the test is over."""
    with ThreadPoolExecutor() as made:
        yield made
        control.reset()


def under_way(
    pool: ThreadPoolExecutor, control: Control, client: Client, number: int, then: Behaviour
) -> list[Future[Answer]]:
    """Requests for tag lists that have reached ECR, which answers them like this once it no longer holds tag lists."""
    mark = control.mark()
    control.set(then.model_copy(update={"registry_held_actions": TAGS}))
    # Each asks for another page, so that all of them reach ECR.
    asked = [pool.submit(client.get, f"/v2/team/app/tags/list?n={page + 1}") for page in range(number)]
    wait_until_requested(control, mark, "registry.tags", number)
    return asked


def open_circuit(control: Control, client: Client, *, seconds: int) -> None:
    """ECR throttles a request, and holds tag lists."""
    control.set(Behaviour(registry_status=429, registry_retry_after_seconds=seconds, registry_held_actions=TAGS))
    assert request_unknown_tag(client).status == 429


@pytest.mark.rule("R31")
@pytest.mark.parametrize("late", [THROTTLED, FAILING], ids=["throttled", "failing"])
def test_answers_to_older_requests_do_not_keep_the_circuit_open(
    pool: ThreadPoolExecutor, control: Control, client: Client, late: Behaviour
) -> None:
    asked = under_way(pool, control, client, 3, then=late)
    open_circuit(control, client, seconds=1)
    control.set(HEALTHY)
    assert {answer.result().status for answer in asked} == {429 if late is THROTTLED else 503}
    time.sleep(1.2)
    assert request_unknown_tag(client).status == 404, "the circuit is half-open after the Retry-After of ECR"


@pytest.mark.rule("R31")
@pytest.mark.parametrize("late", [THROTTLED, FAILING, HEALTHY], ids=["throttled", "failing", "healthy"])
def test_answers_to_older_requests_do_not_allow_a_second_probe(
    pool: ThreadPoolExecutor, control: Control, client: Client, late: Behaviour
) -> None:
    asked = under_way(pool, control, client, 3, then=late.model_copy(update={"registry_retry_after_seconds": 1}))
    open_circuit(control, client, seconds=1)
    time.sleep(1.2)
    control.set(Behaviour(registry_held_actions=TAGS | MANIFESTS))
    mark = control.mark()
    probe = pool.submit(request_unknown_tag, client)
    wait_until_requested(control, mark)
    control.set(Behaviour(registry_held_actions=MANIFESTS))
    wait(asked)
    time.sleep(1.2)
    assert {client.get(f"/v2/team/app/tags/list?n={page + 10}").status for page in range(3)} == {429}
    control.set(HEALTHY)
    assert probe.result().status == 404
    assert request_unknown_tag(client).status == 404


@pytest.mark.rule("R33")
def test_failures_from_before_the_circuit_opened_do_not_count_after_it_has_closed(
    pool: ThreadPoolExecutor, control: Control, client: Client
) -> None:
    asked = under_way(pool, control, client, 5, then=FAILING)
    open_circuit(control, client, seconds=1)
    time.sleep(1.2)
    control.set(Behaviour(registry_held_actions=TAGS))
    assert request_unknown_tag(client).status == 404, "ECR is healthy again"
    control.set(HEALTHY)
    assert {answer.result().status for answer in asked} == {503}
    assert request_unknown_tag(client).status == 404
