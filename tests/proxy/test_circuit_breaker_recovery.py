"""The circuit breaker recovers: from clients that hang up, and from short failures of ECR."""

import secrets
import time
from contextlib import closing

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.traffic import request_unknown_tag, wait_until_requested

DIGEST = f"sha256:{secrets.token_hex(32)}"
PROBE_SECONDS = 1.0
FAILURES = 5


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The defaults; a lost probe blocks ECR for 24 s."""
    return ""


@pytest.fixture(autouse=True)
def proxy(pod: Pod) -> Pod:
    """A serving pod for one test."""
    pod.start()
    return pod


def seconds_until_ecr_is_asked(client: Client) -> float:
    """How long new requests are refused from now on."""
    began = time.monotonic()
    wait_until(lambda: request_unknown_tag(client).status == 404, "ECR is asked", seconds=30, pause_seconds=0.02)
    return time.monotonic() - began


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
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=1)):
        assert request_unknown_tag(client).status == 429
    time.sleep(1.2)
    mark = control.mark()
    slow = control.behaving(Behaviour(registry_delay_seconds=PROBE_SECONDS))
    with slow, closing(client.open(method, f"/v2/team/app/{what}", ACCEPT)):
        wait_until_requested(control, mark)
    assert seconds_until_ecr_is_asked(client) < PROBE_SECONDS + 0.5


@pytest.mark.rule("R52")
@pytest.mark.parametrize("phase", [0.0, 0.3])
def test_cold_pulls_resume_within_a_second_of_the_return_of_ecr(client: Client, control: Control, phase: float) -> None:
    with control.behaving(Behaviour(registry_status=500)):
        assert [request_unknown_tag(client).status for _ in range(FAILURES)] == [503] * FAILURES
        began = time.monotonic()
        while time.monotonic() - began < 1 + phase:
            request_unknown_tag(client)
            time.sleep(0.02)
    assert seconds_until_ecr_is_asked(client) < 1
