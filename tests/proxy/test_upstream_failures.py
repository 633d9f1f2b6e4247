"""Answers to a client when ECR or S3 fails."""

import secrets
import time
from contextlib import closing

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Answer, Client

SIZE = 3_500_000

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture
def layer() -> bytes:
    """A new one for each test, since an error is cached for a second."""
    return secrets.token_bytes(SIZE)


@pytest.fixture
def image(publisher: Publisher, layer: bytes) -> Image:
    return publisher.image("team/app", digest_of(layer)[-12:], [layer])


@pytest.fixture
def blob(image: Image) -> str:
    return f"/v2/team/app/blobs/{image.layers[0]}"


@pytest.fixture
def paths(image: Image, blob: str) -> tuple[str, ...]:
    """A tag, a manifest by digest, a blob and a list."""
    manifests = "/v2/team/app/manifests"
    return f"{manifests}/{image.layers[0][-12:]}", f"{manifests}/{image.digest}", blob, "/v2/team/app/tags/list"


def assert_served_again(client: Client, path: str) -> None:
    """Return once a path is 200: the error is cached, and the circuit open, for a second."""
    wait_until(lambda: client.get(path, ACCEPT).status == 200, f"{path} is served again", seconds=20)


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert int(answer.header("Retry-After") or 0) > 0


@pytest.mark.rule("R33", "F7", "F9")
@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(registry_status=500),
        Behaviour(registry_status=502),
        Behaviour(registry_status=503),
        Behaviour(registry_outage="refused"),
        Behaviour(registry_outage="reset"),
    ],
    ids=["500", "502", "503", "refused", "reset"],
)
def test_a_failing_ecr_is_503(client: Client, control: Control, paths: tuple[str, ...], fault: Behaviour) -> None:
    with control.behaving(fault):
        for path in paths:
            assert_unavailable(client.get(path, ACCEPT))
    for path in paths:
        assert_served_again(client, path)


@pytest.mark.rule("R33", "F11", "F12")
@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(s3_status=403),
        Behaviour(s3_status=404),
        Behaviour(s3_status=500),
        Behaviour(s3_status=503),
        Behaviour(s3_outage="refused"),
        Behaviour(s3_outage="reset"),
    ],
    ids=["403", "404", "500", "503", "refused", "reset"],
)
def test_a_failing_s3_is_503_without_its_xml(
    client: Client, control: Control, fault: Behaviour, blob: str, layer: bytes
) -> None:
    with control.behaving(fault):
        answer = client.get(blob)
    assert_unavailable(answer)
    assert b"<Error>" not in answer.body
    assert_served_again(client, blob)
    assert client.get(blob).body == layer


@pytest.mark.rule("R34", "F13")
def test_a_body_that_s3_cuts_off_ends_before_its_content_length(
    client: Client, control: Control, proxy: Pod, blob: str, layer: bytes
) -> None:
    before = len(proxy.error_log())
    with control.behaving(Behaviour(s3_cut_after_bytes=700_000)):
        answer = client.get(blob)
    assert (answer.status, answer.complete) == (200, False)
    assert layer.startswith(answer.body), "every byte before the cut is right"
    line = proxy.access_log("layers", blob)[-1]
    assert (line["status"], line["bytes"], line["content_length"]) == (206, 700_000, str(1 << 20))
    assert "upstream prematurely closed connection" in proxy.error_log()[before:]
    assert client.get(blob).body == layer


@pytest.mark.rule("R35")
def test_a_slow_client_gets_its_blob_without_a_temporary_file(client: Client, proxy: Pod, publisher: Publisher) -> None:
    """The blob is larger than all sockets and buffers in between; nginx would log a temporary file."""
    digest = publisher.blob("team/app", secrets.token_bytes(40_000_000))
    with closing(client.open("GET", f"/v2/team/app/blobs/{digest}")) as connection:
        time.sleep(2)
        answer = client.read(connection)
    assert (answer.status, digest_of(answer.body)) == (200, digest)
    assert "buffered to a temporary file" not in proxy.error_log()


@pytest.mark.rule("R35")
def test_the_download_ends_with_the_current_slice_when_the_client_disconnects(
    client: Client, control: Control, blob: str, layer: bytes
) -> None:
    mark = control.mark()
    with control.behaving(Behaviour(s3_bytes_per_second=1_000_000)):
        with closing(client.open("GET", blob)) as connection:
            connection.getresponse().read(1000)
        time.sleep(2.5)
        assert control.requests(mark).sent_bytes("s3.layer") == 1 << 20
    assert client.get(blob).body == layer
    assert control.requests(mark).sent_bytes("s3.layer") == len(layer), "the finished slice is not fetched again"
