"""Failures, and an open circuit, expire when ECR gets no requests for a while."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from tests.proxy.client import Client
from tests.proxy.traffic import request_unknown_tag, wait_until_requested

FORGOTTEN_AFTER_SECONDS = 10.5
"""Twice the longest wait for ECR by these settings, and a margin: nginx's clock is coarse."""

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The shortest that are allowed; after failures, the circuit stays open for longer than any test takes."""
    return "connect_seconds = 1\necr_seconds = 2\npause_seconds = 60"


@pytest.mark.rule("R33")
def test_a_failure_long_after_others_does_not_open_the_circuit(client: Client, control: Control) -> None:
    with control.behaving(Behaviour(registry_status=500)):
        assert [request_unknown_tag(client).status for _ in range(2)] == [503] * 2
        time.sleep(FORGOTTEN_AFTER_SECONDS)
        assert request_unknown_tag(client).status == 503
    assert request_unknown_tag(client).status == 404


@pytest.mark.rule("R31")
def test_a_circuit_that_opened_long_ago_is_closed(client: Client, control: Control) -> None:
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1 + FORGOTTEN_AFTER_SECONDS)
    mark = control.mark()
    held = Behaviour(registry_held_actions=frozenset({"ecr:ListImages"}))
    with ThreadPoolExecutor(1) as pool, control.behaving(held):
        pool.submit(client.get, "/v2/team/app/tags/list")
        wait_until_requested(control, mark)
        assert request_unknown_tag(client).status == 404, "more than one request reaches ECR"
