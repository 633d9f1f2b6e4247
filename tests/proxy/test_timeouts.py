"""Upstreams that answer too late."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.waiting import wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS, TAG_EXPIRED_SECONDS
from tests.proxy.client import ACCEPT, Client


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The shortest that are allowed."""
    return "ecr_seconds = 2\ns3_seconds = 2\npause_seconds = 1"


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [b"layer" * 1000])


@pytest.mark.rule("R33", "F8")
@pytest.mark.usefixtures("started")
def test_a_late_ecr_is_504(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(registry_delay_seconds=20)):
        for path in ("/v2/team/app/manifests/1.4", f"/v2/team/app/blobs/{image.layers[0]}"):
            answer = client.get(path, ACCEPT)
            assert (answer.status, answer.error_code()) == (504, "UNAVAILABLE")
            assert int(answer.header("Retry-After") or 0) > 0


@pytest.mark.rule("R24")
@pytest.mark.usefixtures("started", "image")
def test_a_stale_tag_is_served_when_ecr_is_late(client: Client, control: Control) -> None:
    path = "/v2/team/app/manifests/1.4"
    cached = client.get(path, ACCEPT)
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(registry_delay_seconds=20)):
        answer = client.get(path, ACCEPT)
    assert (answer.status, answer.body) == (200, cached.body)
    assert (answer.header("Warning") or "").startswith("299 - ")


@pytest.mark.rule("R33", "F14")
@pytest.mark.usefixtures("started")
def test_a_late_s3_is_504(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(s3_delay_seconds=20)):
        answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert (answer.status, answer.error_code()) == (504, "UNAVAILABLE")
    time.sleep(ERRORS_LAST_SECONDS)
    assert client.get(f"/v2/team/app/blobs/{image.layers[0]}").status == 200


@pytest.mark.rule("F14")
@pytest.mark.usefixtures("started")
def test_a_silent_s3_does_not_delay_other_requests(client: Client, control: Control, publisher: Publisher) -> None:
    warm, cold = (publisher.image("team/app", secrets.token_hex(8), [secrets.token_bytes(1000)]) for _ in range(2))
    warm_blob = f"/v2/team/app/blobs/{warm.layers[0]}"
    cached = client.get(warm_blob).body
    lost = [f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(1000))}" for _ in range(3)]
    mark = control.mark()
    with ThreadPoolExecutor(3) as pool, control.behaving(Behaviour(s3_delay_seconds=20)):
        waiting = [pool.submit(client.get, path) for path in lost]
        wait_until(lambda: control.requests(mark).count("s3.layer") > 0, "a request reaches S3", pause_seconds=0.02)
        assert client.get(warm_blob).body == cached
        assert client.get(f"/v2/team/app/manifests/{cold.digest}", ACCEPT).body == cold.manifest
        assert {answer.result().status for answer in waiting} == {504}
