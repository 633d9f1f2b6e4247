"""What every error of the proxy has in common: JSON, its message as a warning, and no guessing of its type."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from tests.proxy.cache_times import wait_until_circuit_is_closed
from tests.proxy.client import ACCEPT, Answer, Client

DIGEST = "sha256:" + "0" * 64
SHA512 = "sha512:" + "0" * 128
LAYER = b"a short layer"
PULL = frozenset({"ecr:BatchGetImage"})

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/errors", "1", [LAYER])


def assert_error(answer: Answer, status: int, code: str) -> None:
    """Its message stands in the body, for clients that show it, and in a warning, for those that show only a header."""
    assert (answer.status, answer.error_code()) == (status, code)
    (error,) = answer.json()["errors"]
    assert answer.header("Warning") == f'299 - "{error["message"]}"'
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.rule("R7", "R29")
@pytest.mark.parametrize(
    ("request_", "headers", "status", "code"),
    [
        ("GET /nowhere", {}, 404, "UNSUPPORTED"),
        ("PUT /v2/team/errors/manifests/1", {}, 405, "UNSUPPORTED"),
        ("GET /v2/secret/app/manifests/1", {}, 404, "NAME_UNKNOWN"),
        ("GET /v2/team/errors/tags/list?n=x", {}, 400, "PAGINATION_NUMBER_INVALID"),
        ("GET /v2/team/errors/tags/list?last=x", {}, 400, "UNSUPPORTED"),
        (f"GET /v2/team/errors/referrers/{DIGEST}?x=<", {}, 400, "UNSUPPORTED"),
        ("GET /v2/", {"If-Match": "x"}, 412, "UNKNOWN"),
        ("GET /v2/team/errors/manifests/1", ACCEPT | {"If-Match": "x"}, 412, "UNKNOWN"),
        ("GET /v2/team/errors/blobs/{layer}", {"If-Match": "x"}, 412, "UNKNOWN"),
        ("GET /v2/team/errors/manifests/1", {"Content-Length": "5000"}, 413, "UNKNOWN"),
        ("GET /v2/", {"Accept": "x" * 5000}, 431, "UNKNOWN"),
    ],
)
def test_an_error_has_its_message_as_a_warning(
    client: Client, image: Image, request_: str, headers: dict[str, str], status: int, code: str
) -> None:
    (layer,) = image.layers
    method, path = request_.format(layer=layer).split()
    assert_error(client.ask(method, path, headers), status, code)


@pytest.mark.rule("R29")
@pytest.mark.parametrize("start", [1000, 2**20], ids=["in the first slice, refused by nginx", "refused by S3"])
def test_a_range_beyond_the_end_is_explained_by_a_warning(client: Client, image: Image, start: int) -> None:
    (layer,) = image.layers
    answer = client.get(f"/v2/team/errors/blobs/{layer}", {"Range": f"bytes={start}-"})
    assert (answer.status, answer.header("Content-Range")) == (416, f"bytes */{len(LAYER)}")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
    assert (answer.header("Warning") or "").startswith("299 - ")


@pytest.fixture
def closed(client: Client) -> Iterator[None]:
    """The circuit is closed when the test begins, and does not stay open for the next one."""
    wait_until_circuit_is_closed(client)
    yield
    wait_until_circuit_is_closed(client)


@pytest.mark.rule("R29")
@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (Behaviour(registry_status=503), 503, "UNAVAILABLE"),
        (Behaviour(registry_status=500), 503, "UNAVAILABLE"),
        (Behaviour(registry_status=429, registry_retry_after_seconds=1), 429, "TOOMANYREQUESTS"),
        (Behaviour(registry_outage="refused"), 503, "UNAVAILABLE"),
        (Behaviour(denied_actions=PULL), 403, "DENIED"),
    ],
)
def test_an_error_of_ecr_has_its_message_as_a_warning(
    client: Client, control: Control, behaviour: Behaviour, status: int, code: str
) -> None:
    with control.behaving(behaviour):
        assert_error(client.get(f"/v2/team/errors/manifests/{uuid4().hex}"), status, code)


@pytest.mark.rule("R30")
@pytest.mark.usefixtures("image")
def test_ecrs_own_404_has_no_warning(client: Client) -> None:
    """Every client shows the body of a 404."""
    answer = client.get("/v2/team/errors/manifests/absent", ACCEPT)
    assert (answer.status, answer.header("Warning")) == (404, None)


@pytest.mark.rule("R29")
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v2/", {}, 200),
        ("/-/live", {}, 200),
        ("/v2/team/errors/manifests/1", ACCEPT, 200),
        ("/v2/team/errors/manifests/absent", ACCEPT, 404),
        ("/v2/team/errors/blobs/{layer}", {}, 200),
        ("/v2/team/errors/blobs/{layer}", {"Range": "bytes=0-1"}, 206),
        ("/v2/team/errors/blobs/{layer}", {"If-None-Match": '"{layer}"'}, 304),
        ("/v2/team/errors/tags/list", {}, 200),
        ("/v2/team/errors/tags/list?n=0", {}, 200),
        (f"/v2/team/errors/referrers/{DIGEST}", {}, 200),
    ],
)
def test_no_browser_guesses_the_type_of_an_answer(
    client: Client, image: Image, path: str, headers: dict[str, str], status: int
) -> None:
    (layer,) = image.layers
    filled = {name: value.format(layer=layer) for name, value in headers.items()}
    answer = client.get(path.format(layer=layer), filled)
    assert (answer.status, answer.header("X-Content-Type-Options")) == (status, "nosniff")
    assert answer.header("Warning") is None


@pytest.mark.rule("R3")
@pytest.mark.parametrize("reference", [SHA512, "sha256:abc", f"{DIGEST}0", "md5:0", "sha256+b64u:_w"])
@pytest.mark.parametrize("kind", ["manifests", "blobs", "referrers"])
def test_a_digest_that_ecr_does_not_have_is_explained(
    client: Client, control: Control, kind: str, reference: str
) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/team/errors/{kind}/{reference}")
    assert_error(answer, 404, "UNSUPPORTED")
    assert answer.json() != client.get("/nowhere").json()
    assert "sha256" in answer.json()["errors"][0]["message"]
    assert control.requests(mark).entries == ()
