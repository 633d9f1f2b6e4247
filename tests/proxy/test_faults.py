"""When ECR or S3 fails: what a client learns, and what it never does."""

import secrets
import time
from contextlib import closing

import pytest

from sandbox.cloud.behaviour import Behaviour
from sandbox.cloud.control import Control
from sandbox.cloud.publish import Image, Publisher, digest_of
from tests.proxy.client import ACCEPT, Answer, Client
from tests.proxy.pod import Pod

LAYER = secrets.token_bytes(4_000_000)
MANIFEST = "/v2/team/app/manifests/1.4"
BLOB = f"/v2/team/app/blobs/{digest_of(LAYER)}"
TAGS = "/v2/team/app/tags/list"

pytestmark = pytest.mark.usefixtures("image", "proxy")


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [LAYER])


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert int(answer.header("Retry-After") or 0) > 0


@pytest.mark.parametrize("path", [MANIFEST, BLOB, TAGS])
@pytest.mark.parametrize(("told", "passed_on"), [(7, "7"), (None, "1")])
def test_throttling_is_passed_on_with_a_time_to_wait(
    client: Client, control: Control, path: str, told: int | None, passed_on: str
) -> None:
    with control.behaving(Behaviour(registry_status=429, registry_retry_after_seconds=told)):
        answer = client.get(path, ACCEPT)
    assert (answer.status, answer.error_code()) == (429, "TOOMANYREQUESTS")
    assert answer.header("Retry-After") == passed_on


@pytest.mark.parametrize("path", [MANIFEST, BLOB, TAGS])
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
def test_a_failing_ecr_is_told_as_unavailable(client: Client, control: Control, path: str, fault: Behaviour) -> None:
    with control.behaving(fault):
        assert_unavailable(client.get(path, ACCEPT))
    assert client.get(path, ACCEPT).status == 200, "and is asked again at once when it is back"


@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(s3_status=403),
        Behaviour(s3_status=500),
        Behaviour(s3_status=503),
        Behaviour(s3_outage="refused"),
        Behaviour(s3_outage="reset"),
    ],
    ids=["403", "500", "503", "refused", "reset"],
)
def test_a_failing_s3_is_told_as_unavailable_without_its_xml(
    client: Client, control: Control, fault: Behaviour
) -> None:
    with control.behaving(fault):
        answer = client.get(BLOB)
    assert_unavailable(answer)
    assert b"<Error>" not in answer.body
    assert digest_of(client.get(BLOB).body) == digest_of(LAYER)


def test_a_body_that_breaks_off_at_s3_is_never_taken_for_a_whole_one(
    client: Client, control: Control, proxy: Pod
) -> None:
    before = len(proxy.error_log())
    with control.behaving(Behaviour(s3_cut_after_bytes=1_000_000)):
        answer = client.get(BLOB)
    assert (answer.status, answer.complete) == (200, False)
    assert LAYER.startswith(answer.body), "every byte before the break is right"
    line = proxy.access_log("fetch", BLOB)[-1]
    assert (line["status"], line["bytes"], line["content_length"]) == (200, 1_000_000, str(len(LAYER)))
    assert "upstream prematurely closed connection" in proxy.error_log()[before:]


def test_a_slow_client_gets_its_blob_and_no_file_is_written_for_it(
    client: Client, proxy: Pod, publisher: Publisher
) -> None:
    """The blob is larger than all the sockets and buffers between; nginx warns when it turns to a file."""
    digest = publisher.blob("team/app", secrets.token_bytes(40_000_000))
    with closing(client.open("GET", f"/v2/team/app/blobs/{digest}")) as connection:
        time.sleep(2)
        answer = client.read(connection)
    assert (answer.status, digest_of(answer.body)) == (200, digest)
    assert "buffered to a temporary file" not in proxy.error_log()


def test_a_client_that_goes_away_ends_the_download(client: Client, control: Control) -> None:
    mark = control.mark()
    with control.behaving(Behaviour(s3_bytes_per_second=500_000)):
        with closing(client.open("GET", BLOB)) as connection:
            connection.getresponse().read(1000)
        time.sleep(1.5)
        sent_bytes = control.requests(mark).sent_bytes("s3.layer")
        time.sleep(1.5)
        assert control.requests(mark).sent_bytes("s3.layer") == sent_bytes < len(LAYER)
