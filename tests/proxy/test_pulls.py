"""Manifests and blobs, as a client gets them."""

import secrets

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client

LAYER = secrets.token_bytes(300_000)

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [LAYER])


@pytest.mark.rule("R28")
def test_a_manifest_is_served_by_tag_and_by_digest(client: Client, image: Image) -> None:
    for reference in ("1.4", image.digest):
        answer = client.get(f"/v2/team/app/manifests/{reference}", ACCEPT)
        assert (answer.status, answer.body) == (200, image.manifest)
        assert answer.header("Docker-Content-Digest") == image.digest
        assert answer.header("Content-Type") == ACCEPT["Accept"]
        assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"


@pytest.mark.rule("R28")
def test_the_head_of_a_manifest_has_everything_but_the_body(client: Client, image: Image) -> None:
    answer = client.head("/v2/team/app/manifests/1.4", ACCEPT)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(image.manifest))
    assert answer.header("Docker-Content-Digest") == image.digest


@pytest.mark.rule("R8")
@pytest.mark.usefixtures("image")
def test_ecr_is_asked_for_every_media_type_whatever_the_client_accepts(client: Client, control: Control) -> None:
    mark = control.mark()
    assert client.get("/v2/team/app/manifests/1.4", {"Accept": "*/*;q=0.1, text/html"}).status == 200
    accepted = [set(entry.headers["accept"].split(", ")) for entry in control.requests(mark).entries]
    assert len(accepted) == 2
    for types in accepted:
        assert types >= {
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v2+json",
            "*/*",
        }


@pytest.mark.rule("R13")
def test_a_blob_comes_through_the_proxy_and_not_as_a_redirect(client: Client, control: Control, image: Image) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert (answer.status, answer.body) == (200, LAYER)
    assert answer.header("Docker-Content-Digest") == image.layers[0]
    assert answer.header("ETag") == f'"{image.layers[0]}"'
    assert answer.header("Content-Length") == str(len(LAYER))
    assert answer.header("Location") is None
    assert [entry.kind for entry in control.requests(mark).entries] == ["registry.blobs", "s3.layer"]


@pytest.mark.rule("R14")
def test_ecr_answers_the_head_of_a_blob_and_s3_is_not_asked(client: Client, control: Control, image: Image) -> None:
    mark = control.mark()
    answer = client.head(f"/v2/team/app/blobs/{image.layers[0]}")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(LAYER))
    assert [(entry.method, entry.kind) for entry in control.requests(mark).entries] == [("HEAD", "registry.blobs")]


@pytest.mark.rule("R28")
@pytest.mark.parametrize(
    ("range_", "begin", "end"),
    [("bytes=0-0", 0, 1), ("bytes=1000-1999", 1000, 2000), ("bytes=299990-", 299_990, 300_000), ("bytes=-5", -5, None)],
)
def test_a_range_of_a_blob_is_206(client: Client, image: Image, range_: str, begin: int, end: int | None) -> None:
    answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}", {"Range": range_})
    assert (answer.status, answer.body) == (206, LAYER[begin:end])
    first = begin % len(LAYER)
    last = (end or len(LAYER)) - 1
    assert answer.header("Content-Range") == f"bytes {first}-{last}/{len(LAYER)}"


@pytest.mark.rule("R28")
def test_a_range_that_does_not_exist_is_416(client: Client, image: Image) -> None:
    answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}", {"Range": "bytes=300000-"})
    assert (answer.status, answer.body) == (416, b"")
    assert answer.header("Content-Range") == f"bytes */{len(LAYER)}"


@pytest.mark.rule("R8")
def test_a_range_never_reaches_ecr(client: Client, control: Control, image: Image) -> None:
    mark = control.mark()
    client.get("/v2/team/app/manifests/1.4", ACCEPT | {"Range": "bytes=0-10"})
    client.get(f"/v2/team/app/blobs/{image.layers[0]}", {"Range": "bytes=0-10"})
    assert [e.headers.get("range") for e in control.requests(mark).of("registry")] == [None] * 3
    assert [e.headers.get("range") for e in control.requests(mark).of("s3")] == ["bytes=0-262143"]


@pytest.mark.rule("R28")
def test_an_empty_blob_is_served(client: Client, publisher: Publisher) -> None:
    digest = publisher.blob("team/app", b"")
    answer = client.get(f"/v2/team/app/blobs/{digest}")
    assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", "0")


@pytest.mark.rule("R29")
def test_answers_have_no_headers_about_s3(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(s3_etag_per_repository=True)):
        answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    names = {name.lower() for name, _ in answer.headers}
    assert names <= {
        "server", "date", "connection", "content-type", "content-length", "accept-ranges",
        "etag", "docker-content-digest", "docker-distribution-api-version", "x-content-type-options",
    }  # fmt: skip
    assert answer.header("ETag") == f'"{image.layers[0]}"'


@pytest.mark.rule("R30")
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/team/nothing/manifests/1.4", "NAME_UNKNOWN"),
        ("/v2/team/app/manifests/9.9", "MANIFEST_UNKNOWN"),
        (f"/v2/team/app/blobs/{digest_of(b'nowhere')}", "BLOB_UNKNOWN"),
    ],
)
@pytest.mark.usefixtures("image")
def test_ecrs_404_is_passed_on_unchanged(client: Client, path: str, code: str) -> None:
    answer = client.get(path, ACCEPT)
    assert answer.status == 404
    assert answer.header("Content-Type") == "application/json; charset=utf-8"
    assert f'"code":"{code}"' in answer.body.decode()


@pytest.mark.rule("R13")
def test_a_location_of_32_kilobytes_is_followed(client: Client, control: Control, image: Image) -> None:
    with control.behaving(Behaviour(location_characters=32_000)):
        answer = client.get(f"/v2/team/app/blobs/{image.layers[0]}")
    assert (answer.status, digest_of(answer.body)) == (200, image.layers[0])


@pytest.mark.rule("R13")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "169.254.169.254",
        "127.0.0.1",
        "192.0.2.30",
        "other-bucket.s3.ap-southeast-2.amazonaws.com",
        "prod-ap-southeast-2-starport-layer-bucket.s3.eu-west-1.amazonaws.com",
        "prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.eu",
        "prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com.evil.example",
        "prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com@evil.example",
        "prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com:444",
        "user@prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com",
        "evil.example/prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com",
        "prod-x.evil.example#-starport-layer-bucket.s3.x.amazonaws.com",
    ],
)
def test_a_blob_is_fetched_only_from_the_layer_bucket(
    client: Client, control: Control, proxy: Pod, publisher: Publisher, host: str
) -> None:
    digest = publisher.blob("team/app", secrets.token_bytes(100))
    mark = control.mark()
    with control.behaving(Behaviour(location_host=host)):
        answer = client.get(f"/v2/team/app/blobs/{digest}")
    assert (answer.status, answer.error_code()) == (502, "UNAVAILABLE")
    assert control.requests(mark).count("s3") == 0
    assert f"refused to follow a redirect of a blob to https://{host}" in proxy.error_log()


@pytest.mark.rule("R13")
def test_a_location_without_a_host_is_not_followed(client: Client, control: Control, publisher: Publisher) -> None:
    digest = publisher.blob("team/app", secrets.token_bytes(100))
    with control.behaving(Behaviour(location_relative=True)):
        answer = client.get(f"/v2/team/app/blobs/{digest}")
    assert (answer.status, answer.error_code()) == (502, "UNAVAILABLE")


@pytest.mark.rule("R8")
def test_no_other_header_of_a_client_reaches_ecr_or_s3(
    client: Client, control: Control, world: World, image: Image
) -> None:
    mark = control.mark()
    mischief = {
        "Authorization": "Basic QVdTOmNsaWVudA==",
        "Proxy-Authorization": "Basic QVdTOmNsaWVudA==",
        "Cookie": "session=client",
        "X-Amz-Security-Token": "client",
        "X-Amz-Date": "20260101T000000Z",
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Request-Id": "client",
        "Forwarded": "for=10.9.9.9",
        "Referer": "https://client.example/",
        "User-Agent": "client/1.0",
        "Accept-Encoding": "gzip",
        "If-None-Match": '"x"',
        "TE": "trailers",
    }
    assert client.get(f"/v2/team/app/blobs/{image.layers[0]}", mischief).body == LAYER
    ecr, s3 = control.requests(mark).entries
    assert (ecr.host, s3.host) == (world.ecr_host, world.layer_host)
    assert set(ecr.headers) == {"host", "authorization", "user-agent"}
    assert set(s3.headers) == {"host", "range", "user-agent", "x-request-id"}
    assert {ecr.headers["user-agent"], s3.headers["user-agent"]} == {"ecr-frontdoor"}
    assert s3.headers["x-request-id"] != "client"


@pytest.mark.rule("R8", "R53")
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_the_body_of_a_get_is_refused_and_never_sent_to_ecr(
    client: Client, control: Control, world: World, image: Image, by: str
) -> None:
    """The body could be a second request: to ECR, or to the server `ecr`, which holds the credential."""
    paths = ("/v2/secret/manifests/1", f"/{world.ecr_host}/v2/secret/manifests/1")
    smuggled = "".join(f"GET {path} HTTP/1.1\r\nHost: {world.ecr_host}\r\n\r\n" for path in paths).encode()
    path = f"/v2/team/app/manifests/{'1.4' if by == 'tag' else image.digest}"
    mark = control.mark()
    assert client.ask("GET", path, ACCEPT, body=smuggled).status == 413
    assert [entry.path for entry in control.requests(mark).entries] == []
    assert client.get(path, ACCEPT).body == image.manifest
    assert [entry.path for entry in control.requests(mark).entries if "secret" in entry.path] == []
