"""Layers at S3: rows S of testbed/docs/ecr-double.md."""

import re
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.layers import LAYER, error_code, located


@pytest.mark.row("S1")
def test_the_whole_layer(client: httpx2.Client, location: str) -> None:
    answer = client.get(location)

    assert (answer.status_code, answer.content) == (200, LAYER)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer.headers


@pytest.mark.row("S2")
def test_expires_lies_in_the_past(client: httpx2.Client, location: str) -> None:
    answer = client.get(location)

    expires = time.strptime(answer.headers["Expires"], "%a, %d %b %Y %H:%M:%S GMT")
    assert expires < time.gmtime()
    assert "Cache-Control" not in answer.headers


@pytest.mark.row("S3")
@pytest.mark.parametrize(
    ("asked", "status", "content_range", "expected"),
    [
        ("bytes=0-0", 206, "bytes 0-0/10240", LAYER[:1]),
        ("bytes=4096-8191", 206, "bytes 4096-8191/10240", LAYER[4096:8192]),
        ("bytes=10000-", 206, "bytes 10000-10239/10240", LAYER[10000:]),
        ("bytes=10000-99999", 206, "bytes 10000-10239/10240", LAYER[10000:]),
        ("bytes=-100", 206, "bytes 10140-10239/10240", LAYER[-100:]),
        ("bytes=-99999", 206, "bytes 0-10239/10240", LAYER),
        ("bytes=0-1,4-5", 200, None, LAYER),
        ("bytes=5-4", 200, None, LAYER),
        ("lines=1-2", 200, None, LAYER),
    ],
)
def test_a_range_of_a_layer(
    client: httpx2.Client, location: str, asked: str, status: int, content_range: str | None, expected: bytes
) -> None:
    answer = client.get(location, headers={"Range": asked})

    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, content_range)
    assert answer.content == expected


@pytest.mark.row("S4")
@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_layer_is_416(client: httpx2.Client, location: str, asked: str) -> None:
    answer = client.get(location, headers={"Range": asked})

    assert error_code(answer) == (416, "InvalidRange")
    assert answer.headers["Content-Range"] == "bytes */10240"


@pytest.mark.row("S5")
def test_an_empty_layer_has_no_ranges(
    client: httpx2.Client, ecr: httpx2.Client, publisher: Publisher, repository: str
) -> None:
    empty = located(ecr, repository, publisher.blob(repository, b""))

    whole = client.get(empty)
    ranged = client.get(empty, headers={"Range": "bytes=0-4194303"})

    assert (whole.status_code, whole.headers["Content-Length"]) == (200, "0")
    assert error_code(ranged) == (416, "InvalidRange")
    assert ranged.headers["Content-Range"] == "bytes */0"


@pytest.mark.row("S6")
def test_a_second_authentication_is_refused(client: httpx2.Client, location: str, authorization: str) -> None:
    answer = client.get(location, headers={"Authorization": f"Basic {authorization}"})

    assert error_code(answer) == (400, "InvalidArgument")
    assert "Only one auth mechanism allowed" in answer.text


@pytest.mark.row("S7")
def test_a_location_is_signed_for_get_alone(client: httpx2.Client, location: str) -> None:
    head, put = client.head(location), client.put(location, content=b"x")

    assert (head.status_code, head.content) == (403, b"")
    assert error_code(put) == (403, "SignatureDoesNotMatch")


@pytest.mark.row("S8")
@pytest.mark.parametrize(
    ("part", "forged", "code"),
    [
        pytest.param(r"Signature=....", "Signature=0000", "SignatureDoesNotMatch", id="signature"),
        pytest.param("Expires=3600", "Expires=9999", "SignatureDoesNotMatch", id="lifetime"),
        pytest.param(r"\.com/.", ".com/x", "SignatureDoesNotMatch", id="key"),
        pytest.param(r"\?.*", "", "AccessDenied", id="unsigned"),
        pytest.param("X-Amz-Date", "X-Amz-Day", "AccessDenied", id="incomplete"),
    ],
)
def test_a_location_that_was_tampered_with_is_refused(
    client: httpx2.Client, location: str, part: str, forged: str, code: str
) -> None:
    assert error_code(client.get(re.sub(part, forged, location, count=1))) == (403, code)


@pytest.mark.row("S9")
def test_a_location_has_a_lifetime(
    client: httpx2.Client, ecr: httpx2.Client, control: Control, repository: str, digest: str
) -> None:
    control.set(Behaviour(location_lifetime_seconds=1))
    location = located(ecr, repository, digest)
    assert "X-Amz-Expires=1&" in location
    time.sleep(2.1)

    answer = client.get(location)

    assert error_code(answer) == (403, "AccessDenied")
    assert "<Message>Request has expired</Message>" in answer.text


@pytest.mark.row("S10")
def test_every_location_can_be_made_void(
    client: httpx2.Client, ecr: httpx2.Client, control: Control, repository: str, digest: str, location: str
) -> None:
    control.void_locations()

    assert error_code(client.get(location)) == (403, "AccessDenied")
    assert client.get(located(ecr, repository, digest)).content == LAYER


@pytest.mark.row("S11")
def test_a_location_whose_object_is_gone_is_404(
    world: World, client: httpx2.Client, ecr: httpx2.Client, publisher: Publisher, repository: str
) -> None:
    digest = publisher.blob(repository, repository.encode())
    location = located(ecr, repository, digest)
    (world.registry_storage / Layer("", digest.removeprefix("sha256:")).stored_as).unlink()

    assert error_code(client.get(location)) == (404, "NoSuchKey")


@pytest.mark.row("S12")
def test_one_layer_is_one_object_of_each_repository_with_one_etag(
    client: httpx2.Client, ecr: httpx2.Client, publisher: Publisher, repository: str, location: str
) -> None:
    elsewhere = located(ecr, f"{repository}/copy", publisher.blob(f"{repository}/copy", LAYER))

    first, second = client.get(location), client.get(elsewhere)

    assert urlsplit(location).path != urlsplit(elsewhere).path
    assert first.headers["ETag"] == second.headers["ETag"]


@pytest.mark.row("S13")
def test_the_objects_of_one_layer_can_differ_in_etag_and_date(
    client: httpx2.Client, ecr: httpx2.Client, publisher: Publisher, control: Control, repository: str, location: str
) -> None:
    elsewhere = located(ecr, f"{repository}/copy", publisher.blob(f"{repository}/copy", LAYER))
    control.set(Behaviour(s3_etag_per_repository=True))

    first, second = client.get(location), client.get(elsewhere)

    assert first.headers["ETag"] != second.headers["ETag"]
    assert first.headers["Last-Modified"] != second.headers["Last-Modified"]
    assert first.content == second.content
