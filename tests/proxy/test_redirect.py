"""`blobs = "redirect"`: clients are redirected to S3."""

import secrets
import ssl

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from tests.proxy.client import Client

CONTENT = secrets.token_bytes(1000)

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def blobs() -> str:
    return "redirect"


@pytest.fixture
def client() -> Client:
    """A client that may receive URLs of S3."""
    return Client()


@pytest.fixture
def blob(publisher: Publisher) -> str:
    return f"/v2/team/app/blobs/{publisher.blob('team/app', CONTENT)}"


@pytest.mark.rule("R27")
def test_each_client_is_redirected_to_s3_with_its_own_url(
    client: Client, control: Control, world: World, trust: ssl.SSLContext, blob: str
) -> None:
    mark = control.mark()
    answers = [client.get(blob) for _ in range(2)]
    assert [answer.status for answer in answers] == [307, 307]
    assert control.requests(mark).count("registry") == 2, "each client gets a new signed URL"
    location = answers[0].header("Location") or ""
    assert location.startswith(f"https://{world.layer_host}/")
    with httpx2.Client(verify=trust, trust_env=False) as s3:
        assert s3.get(location).content == CONTENT


@pytest.mark.rule("R27")
def test_a_client_is_redirected_only_to_the_layer_bucket(client: Client, control: Control, blob: str) -> None:
    with control.behaving(Behaviour(location_host="evil.example")):
        answer = client.get(blob)
    assert (answer.status, answer.error_code(), answer.header("Location")) == (502, "UNAVAILABLE", None)
    assert answer.header("Warning") == f'299 - "{answer.json()["errors"][0]["message"]}"'


@pytest.mark.rule("R27")
def test_only_blobs_of_the_allow_list_are_redirected(client: Client, control: Control, blob: str) -> None:
    mark = control.mark()
    assert client.get(blob.replace("team/app", "secret/app")).status == 404
    assert client.head(blob).header("Content-Length") == str(len(CONTENT))
    assert [e.method for e in control.requests(mark).entries] == ["HEAD"]
