"""Cold pulls resume when ECR is back after a short failure, of any kind."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from tests.proxy.client import Client
from tests.proxy.traffic import concurrent_answers, request_unknown_tag, seconds_until_ecr_is_asked

AT_ONCE = 100
"""More than the test sends before the first of them has an answer."""

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The default but for the time-out of an answer: a probe that is lost to it would block ECR for five seconds."""
    return "ecr_seconds = 5"


@pytest.mark.rule("R52")
@pytest.mark.parametrize("phase", [0.0, 0.3])
@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(registry_status=500),
        Behaviour(registry_status=429),
        Behaviour(registry_delay_seconds=60),
        Behaviour(registry_outage="refused"),
        Behaviour(registry_outage="reset"),
    ],
    ids=["500", "429", "silent", "refused", "reset"],
)
def test_cold_pulls_resume_within_a_second_of_the_return_of_ecr(
    client: Client, control: Control, fault: Behaviour, phase: float
) -> None:
    """Clients go on asking during the failure; what silence has left without an answer then does no harm."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        with control.behaving(fault):
            assert {answer.status for answer in concurrent_answers(client)} <= {429, 503, 504}
            began = time.monotonic()
            while time.monotonic() - began < 1 + phase:
                pool.submit(request_unknown_tag, client)
                time.sleep(0.05)
        assert seconds_until_ecr_is_asked(client) < 1
