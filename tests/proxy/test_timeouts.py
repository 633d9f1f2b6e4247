"""Upstreams that answer too late."""

import time

import pytest

from sandbox.cloud.behaviour import Behaviour
from sandbox.cloud.control import Control
from sandbox.cloud.publish import Image, Publisher
from sandbox.pod import Pod
from tests.proxy.client import ACCEPT, Client
from tests.proxy.patience import ERRORS_LAST_SECONDS, TAG_EXPIRED_SECONDS


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The shortest there are."""
    return "ecr_seconds = 2\ns3_seconds = 2\npause_seconds = 1"


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [b"layer" * 1000])


@pytest.fixture
def proxy(pod: Pod) -> Pod:
    """A serving pod of the test's own."""
    pod.start()
    return pod


@pytest.mark.usefixtures("proxy")
def test_an_ecr_that_does_not_answer_in_time_is_told_as_such(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(registry_delay_seconds=20)):
        for path in ("/v2/team/app/manifests/1.4", f"/v2/team/app/blobs/{image.layers[0]}"):
            answer = client.get(path, ACCEPT)
            assert (answer.status, answer.error_code()) == (504, "UNAVAILABLE")
            assert int(answer.header("Retry-After") or 0) > 0


@pytest.mark.usefixtures("proxy", "image")
def test_an_old_tag_is_served_when_ecr_does_not_answer_in_time(client: Client, control: Control) -> None:
    path = "/v2/team/app/manifests/1.4"
    kept = client.get(path, ACCEPT)
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(registry_delay_seconds=20)):
        answer = client.get(path, ACCEPT)
    assert (answer.status, answer.body) == (200, kept.body)
    assert (answer.header("Warning") or "").startswith("299 - ")


@pytest.mark.usefixtures("proxy")
def test_an_s3_that_does_not_answer_in_time_is_told_as_such(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(s3_delay_seconds=20)):
        answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert (answer.status, answer.error_code()) == (504, "UNAVAILABLE")
    time.sleep(ERRORS_LAST_SECONDS)
    assert client.get(f"/v2/team/app/blobs/{image.layers[0]}").status == 200
