"""Allowed methods, endpoints and repositories."""

import json
from urllib.parse import quote

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.fakes.repository_names import INVALID
from tests.proxy.client import ACCEPT, Client
from tests.proxy.conftest import CONTACT

DIGEST = "sha256:" + "0" * 64
BELOW_TEAM = [name if name.startswith("team") else f"team/{name}" for name in INVALID if name != "a"]

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.mark.rule("R1")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/v2/", "/v2/team/app/blobs/uploads/", "/v2/team/app/manifests/1.4", "/"])
def test_only_get_and_head_are_allowed(client: Client, control: Control, method: str, path: str) -> None:
    mark = control.mark()
    answer = client.ask(method, path)
    assert (answer.status, answer.error_code()) == (405, "UNSUPPORTED")
    if method != "TRACE":  # which nginx refuses before it reads a configuration
        assert answer.header("Allow") == "GET, HEAD"
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R1")
def test_a_push_is_refused_before_its_body_is_read(client: Client) -> None:
    answer = client.ask("PUT", "/v2/team/app/manifests/1.4", body=b"x" * 500_000)
    assert (answer.status, answer.error_code()) == (405, "UNSUPPORTED")


@pytest.mark.rule("R2")
@pytest.mark.parametrize("path", ["/v2/", "/v2", "/v2/?ns=registry.frontdoor.test"])
def test_the_api_root_is_200_without_a_login(client: Client, control: Control, path: str) -> None:
    mark = control.mark()
    answer = client.get(path, {"Authorization": "Basic QVdTOnB1c2g="})
    assert (answer.status, answer.json()) == (200, {})
    assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
    assert answer.header("WWW-Authenticate") is None
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    "path",
    [
        "/v2/_catalog",
        "/v2/_catalog?n=10",
        "/",
        "/index.html",
        "/v1/",
        "/V2/",
        "/v2x/",
        "/-/",
        "/-/registry/123456789012.dkr.ecr.ap-southeast-2.amazonaws.com",
        "/-/layers/prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com",
        "/v2/team/app",
        "/v2/team/app/tags",
        "/v2/team/app/tags/list/",
        "/v2/team/app/manifests/",
        "/v2/team/app/manifests/.hidden",
        "/v2/team/app/manifests/a:b",
        f"/v2/team/app/manifests/{'t' * 129}",
        "/v2/team/app/manifests/sha256:abc",
        "/v2/team/app/manifests/1.4/more",
        "/v2/team/app/blobs/",
        "/v2/team/app/blobs/latest",
        "/v2/team/app/blobs/uploads/",
        "/v2/team/app/blobs/uploads/1b2c",
        f"/v2/team/app/blobs/{DIGEST}0",
        f"/v2/team/app/blobs/{DIGEST.upper()}",
        "/v2/team/app/referrers/latest",
        "/v2//manifests/1.4",
    ],
)
def test_every_other_path_is_404(client: Client, control: Control, path: str) -> None:
    mark = control.mark()
    answer = client.get(path)
    assert (answer.status, answer.error_code()) == (404, "UNSUPPORTED")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R4")
@pytest.mark.parametrize(
    "path",
    [
        "/v2/secret/app/manifests/1.4",
        f"/v2/secret/app/blobs/{DIGEST}",
        "/v2/secret/app/tags/list",
        f"/v2/secret/app/referrers/{DIGEST}",
        # Patterns are anchored at both ends.
        "/v2/my/team/app/manifests/1.4",
        "/v2/team/manifests/1.4",
        "/v2/base2/manifests/1.4",
        "/v2/mybase/manifests/1.4",
        "/v2/base/more/manifests/1.4",
        # Every notation is resolved to the name before the check.
        "/v2/team/../secret/app/manifests/1.4",
        "/v2/team/%2e%2e/secret/app/manifests/1.4",
        "/v2/team%2F..%2Fsecret%2Fapp/manifests/1.4",
        "/v2/secret%2fapp/manifests/1.4",
        "/v2//secret//app/manifests/1.4",
        "/v2/./secret/app/manifests/1.4",
        # The last `manifests` is the endpoint; everything before it is the name.
        "/v2/secret/manifests/team/app/manifests/1.4",
    ],
)
def test_a_repository_outside_the_allow_list_is_unknown(client: Client, control: Control, path: str) -> None:
    mark = control.mark()
    answer = client.get(path)
    assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R5")
@pytest.mark.parametrize(
    "path",
    [
        "/v2/Team/app/manifests/1.4",
        "/v2/team/App/manifests/1.4",
        "/v2/team/%41pp/manifests/1.4",
        "/v2/team/app%20x/manifests/1.4",
        "/v2/team/app%0d%0aHost:evil/manifests/1.4",
        "/v2/team/app%3Fx=y/manifests/1.4",
        "/v2/team/app%23/manifests/1.4",
        "/v2/team/app%5c..%5csecret/manifests/1.4",
        "/v2/team/%252e%252e/secret/manifests/1.4",
        "/v2/-team/app/manifests/1.4",
        "/v2/team/app-/manifests/1.4",
        "/v2/team/caf%C3%A9/manifests/1.4",
        "/v2/team/app/manifests/1.4%00",
        *(f"/v2/{quote(name)}/manifests/1.4" for name in BELOW_TEAM),
        *(
            f"/v2/team/a..b/{rest}"
            for rest in (f"manifests/{DIGEST}", f"blobs/{DIGEST}", "tags/list", f"referrers/{DIGEST}")
        ),
    ],
)
def test_an_invalid_name_never_reaches_ecr(client: Client, control: Control, path: str) -> None:
    """Which would answer 400, as to a credential that it does not know."""
    mark = control.mark()
    answer = client.get(path)
    assert answer.status in {400, 404}
    assert answer.error_code() == "UNSUPPORTED"
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R5")
@pytest.mark.parametrize("name", [f"team/{'a' * 251}", "team/tags/" + "a" * 246, "team/a__b--c.d_e"])
def test_every_name_of_ecr_reaches_it(client: Client, control: Control, name: str) -> None:
    mark = control.mark()
    assert client.get(f"/v2/{name}/tags/list").status == 404
    assert [(entry.path, entry.status) for entry in control.requests(mark).entries] == [(f"/v2/{name}/tags/list", 404)]


@pytest.mark.rule("R5")
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v2/team/app/manifests/1.4", "/v2/team/app/manifests/1.4"),
        ("/v2/base/manifests/1.4", "/v2/base/manifests/1.4"),
        ("/v2/team%2Fapp/manifests/1.4", "/v2/team/app/manifests/1.4"),
        ("/v2//team///app/manifests/1.4", "/v2/team/app/manifests/1.4"),
        ("/v2/secret/../team/app/manifests/1.4", "/v2/team/app/manifests/1.4"),
        (f"/v2/team/app/manifests/{DIGEST.replace(':', '%3A')}", f"/v2/team/app/manifests/{DIGEST}"),
        ("/v2/team/manifests/manifests/1.4", "/v2/team/manifests/manifests/1.4"),
        ("/v2/team/app/manifests/1.4%0A", "/v2/team/app/manifests/1.4"),
    ],
)
def test_the_checked_name_is_the_name_requested_from_ecr(
    client: Client, control: Control, path: str, asked: str
) -> None:
    mark = control.mark()
    client.get(path)
    assert control.requests(mark).entries[0].path == asked


@pytest.mark.rule("R4")
@pytest.mark.parametrize(
    ("repository", "number"), [("team/app", 0), ("other/app", 1), ("team/special/app", 1), ("team/special", 0)]
)
def test_the_registry_with_the_narrowest_pattern_serves_a_repository(
    client: Client, control: Control, world: World, repository: str, number: int
) -> None:
    mark = control.mark()
    client.get(f"/v2/{repository}/manifests/1.4")
    found = {(entry.host, entry.server_name) for entry in control.requests(mark).entries}
    assert found == {(world.ecr_hosts[number], world.ecr_hosts[number])}


@pytest.mark.rule("R6")
def test_every_host_header_gets_the_same_answers(publisher: Publisher, client: Client) -> None:
    image = publisher.image("team/app", "1.4", [b"layer"])
    answer = client.get("/v2/team/app/manifests/1.4", ACCEPT | {"Host": "evil.example"})
    assert (answer.status, answer.body) == (200, image.manifest)


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /v2/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", b"431"),
        (b"GET /v2/" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (b"GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b"413"),
        (b"GET /v2/team/app/tags/list HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b"413"),
        (b"GET /v2/ HTTP/1.1\r\nHost: x\r\nIf-Match: x\r\n\r\n", b"412"),
        (b"GET /v2/ HTTP/3.0\r\nHost: x\r\n\r\n", b"505"),
        (b"GET /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: brotli\r\nConnection: close\r\n\r\n", b"501"),
        (b"GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
def test_a_malformed_request_gets_an_oci_error(client: Client, request_: bytes, status: bytes) -> None:
    answer = client.send_raw(request_)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b'{"errors":[{"code":' in answer


@pytest.mark.rule("R7")
@pytest.mark.parametrize("path", [b"/v2", b"/nowhere", b"/v2/team/app/manifests/a:b", b"/v2/secret/app/tags/list"])
def test_a_request_without_a_version_gets_json(client: Client, path: bytes) -> None:
    """nginx answers it without a status line and without headers, as before HTTP/1.0."""
    assert isinstance(json.loads(client.send_raw(b"GET " + path + b"\r\n")), dict)


@pytest.mark.rule("R7")
def test_an_oversized_accept_never_reaches_ecr(client: Client, control: Control) -> None:
    mark = control.mark()
    answer = client.get("/v2/team/app/manifests/1.4", {"Accept": "application/json," * 300})
    assert (answer.status, answer.error_code()) == (431, "UNKNOWN")
    assert control.requests(mark).entries == ()


TAGS = b"GET /v2/team/app/tags/list HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.rule("R7")
@pytest.mark.parametrize(
    "request_",
    [
        TAGS + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + TAGS + b"\r\n",
        TAGS + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + TAGS + b"\r\n",
        TAGS + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + TAGS + b"\r\n",
        TAGS + b"Host: y\r\n\r\n",
        TAGS + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n",
        b"GET /v2/team/app/tags/list?last=a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
        b'GET /v2/team/app/tags/list HTTP/1.1\r\nHost: x y"z\r\n\r\n',
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["two lengths", "blank", "twice", "two hosts", "folded", "control character", "no host name", "http2"],
)
def test_an_ambiguous_request_is_refused_and_its_connection_closed(
    client: Client, control: Control, request_: bytes
) -> None:
    mark = control.mark()
    answer = client.send_raw(request_)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1, "the bytes that follow are not a request"
    assert b"\r\nConnection: close\r\n" in answer
    assert control.requests(mark).entries == ()


def test_the_nginx_version_is_not_shown(client: Client, proxy: Pod) -> None:
    assert client.get("/v2/").header("Server") == "nginx"
    assert client.get("/nowhere").header("Server") == "nginx"
    assert "server_tokens off" in proxy.configuration()


@pytest.mark.rule("R1", "R4")
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v2/team/app/manifests/1.4"), ("GET", "/v2/secret/app/manifests/1.4")]
)
def test_a_refused_push_and_an_unknown_repository_name_the_contact(client: Client, method: str, path: str) -> None:
    (error,) = client.ask(method, path).json()["errors"]
    assert error["message"].endswith(f"contact: {CONTACT}")


@pytest.mark.rule("R4")
@pytest.mark.parametrize("part", ["a/", "a-", "a.a__a--a/", "ab"])
@pytest.mark.parametrize("reference", ["manifests/1.4", f"blobs/{DIGEST}", "tags/list"])
def test_the_longest_names_and_accept_are_matched(client: Client, part: str, reference: str) -> None:
    """The compiled regular expressions have a stack of their own, and none may pass it."""
    name = "team/" + (part * 256)[:250] + "a"
    answer = client.ask("GET", f"/v2/{name}/{reference}", {"Accept": ("application/x, " * 300)[:4095]})
    assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
