"""The record of a client's request: its schema, one for each request, without secrets, and each field is bounded."""

import base64
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cli.usage.tally import Tally
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, ADDRESS, Answer, Client

MIB = 1 << 20
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LONGEST: Mapping[str, int] = {
    "schema": 1,
    "time": 25,
    "ended_at": 14,
    "server": 5,
    "id": 32,
    "client": 45,
    "method": 7,
    "path": 1024,
    "status": 3,
    "bytes": 20,
    "seconds": 20,
    "content_length": 20,
    "repository": 255,
    "tag": 128,
    "digest": 71,
    "media_type": 62,
    "cache": 11,
    "upstream": 256,
    "upstream_status": 64,
    "upstream_seconds": 128,
    "user_agent": 256,
}
"""Every field of schema 1, in its order, with the most characters that it has in a record of `front`."""


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/recorded", "1.4", [b"layer"])


@pytest.fixture
def client(client: Client, proxy: Pod, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Its next request waits for the record of the last one: nginx's workers write theirs side by side."""
    ask = client.ask

    def ask_and_wait(*given: Any, **named: Any) -> Answer:  # noqa: ANN401  those of `ask`
        before = len(records(proxy))
        answer = ask(*given, **named)
        wait_until(lambda: len(records(proxy)) > before, "the request is recorded")
        return answer

    monkeypatch.setattr(client, "ask", ask_and_wait)
    return client


@pytest.fixture
def recorded(proxy: Pod) -> Callable[[int], list[dict[str, Any]]]:
    """The records of the test, once there are as many as it names."""
    before = len(records(proxy))

    def found(count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(records(proxy)) >= before + count, "every request is recorded")
        time.sleep(0.2)
        return records(proxy)[before:]

    return found


def records(pod: Pod) -> list[dict[str, Any]]:
    """What the server `front` has written."""
    return pod.log_lines("front")


def facts(record: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("method", "status", "repository", "tag", "digest", "media_type", "cache", "bytes")
    return tuple(record[name] for name in names)


@pytest.mark.rule("R95")
def test_a_record_has_the_tag_that_was_asked_for_and_the_digest_of_the_answer(
    client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    client.head("/v2/team/recorded/manifests/1.4", ACCEPT)
    client.get("/v2/team/recorded/manifests/1.4", ACCEPT)
    client.get(f"/v2/team/recorded/manifests/{image.digest}", ACCEPT)
    client.get("/v2/team/recorded/manifests/never-pushed", ACCEPT)
    size = len(image.manifest)
    *served, missing = map(facts, recorded(4))
    assert served == [
        ("HEAD", 200, "team/recorded", "1.4", image.digest, MANIFEST, "MISS", 0),
        ("GET", 200, "team/recorded", "1.4", image.digest, MANIFEST, "HIT", size),
        ("GET", 200, "team/recorded", "", image.digest, MANIFEST, "HIT", size),
    ]
    assert missing[:6] == ("GET", 404, "team/recorded", "never-pushed", "", "")


@pytest.mark.rule("R95")
def test_the_record_of_a_manifest_that_ecr_converts_has_not_the_digest_that_the_tag_names(
    client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    answer = client.get("/v2/team/recorded/manifests/1.4", accept)
    (record,) = recorded(1)
    assert answer.header("Docker-Content-Digest") != image.digest
    assert (record["tag"], record["digest"]) == ("1.4", "")


@pytest.mark.rule("R95")
def test_a_manifest_has_its_media_type_also_where_the_client_has_it_and_a_list_of_referrers_has_none(
    client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    path, known = f"/v2/team/recorded/manifests/{image.digest}", {"If-None-Match": f'"{image.digest}"'}
    for method in ("GET", "HEAD"):
        assert client.ask(method, path, ACCEPT | known).status == 304
    assert client.get("/v2/team/recorded/manifests/1.4", ACCEPT | known).status == 304
    assert client.get(f"/v2/team/recorded/blobs/{image.layers[0]}", known).status == 200
    assert client.get(f"/v2/team/recorded/referrers/{image.digest}").status == 200
    assert [record["media_type"] for record in recorded(5)] == [MANIFEST, MANIFEST, MANIFEST, "", ""]


@pytest.mark.rule("R95")
def test_usage_counts_a_pull_however_its_path_is_written(
    client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    """nginx decodes a path and resolves its dots before it serves it, and logs it as it came."""
    blob = image.layers[0]
    paths = [
        "/v2/team/recorded/manifests/1.4",
        "/v2/team/recorded/manifests/x/../1.4",
        "/v2/team/recorded/manifests/./1.4",
        "/v2/team/recorded/%6danifests/1.4",
        "/v2/team%2Frecorded//manifests/1%2e4",
        f"/v2/team/recorded/blobs/{blob}/../../manifests/1.4",
        "/v2/team/recorded/" + "./" * 600 + "manifests/1.4",
        f"/v2/team/recorded/blobs/../manifests/{image.digest}",
        f"/v2/team/recorded/manifests/../blobs/{blob}",
    ]
    for path in paths:
        assert client.get(path, ACCEPT).status == 200
    found = recorded(len(paths))
    tally = Tally()
    tally.add_all(found)
    assert {name: use.pulls for name, use in tally.repositories.items()} == {"team/recorded": len(paths) - 1}
    assert tally.skipped == {}


@pytest.mark.rule("R95")
def test_each_request_of_a_client_is_one_record_however_many_slices_it_has(
    client: Client, publisher: Publisher, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    content = secrets.token_bytes(3 * MIB)
    digest = publisher.blob("team/recorded", content)
    path = f"/v2/team/recorded/blobs/{digest}"
    for headers in ({}, {}, {"Range": "bytes=5-9"}):
        client.get(path, headers)
    blob = ("team/recorded", "", digest, "")
    assert [facts(record) for record in recorded(3)] == [
        ("GET", 200, *blob, "MISS", len(content)),
        ("GET", 200, *blob, "HIT", len(content)),
        # A short part has slices of its own, which are cut out of a cached one.
        ("GET", 206, *blob, "MISS", 5),
    ]


@pytest.mark.rule("R95")
def test_the_record_of_a_large_blob_has_the_cache_result_of_its_first_slice(
    client: Client, control: Control, publisher: Publisher, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    publisher.blob("team/recorded", b"so that the repository exists")
    digest = control.generated_layer(201 * MIB, 7)
    for _ in range(2):
        client.get(f"/v2/team/recorded/blobs/{digest}")
    assert [(record["cache"], record["digest"], record["bytes"]) for record in recorded(2)] == [
        ("MISS", digest, 201 * MIB),
        ("HIT", digest, 201 * MIB),
    ]


@pytest.mark.rule("R95")
def test_a_record_has_the_end_of_a_request_in_milliseconds(
    client: Client, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    before = time.time()
    client.get("/v2/")
    (record,) = recorded(1)
    assert before - 0.01 <= record["ended_at"] <= time.time() + 0.01
    assert isinstance(record["seconds"], float)


@pytest.mark.rule("R40", "R95")
def test_no_part_of_a_request_that_may_hold_a_secret_is_recorded(
    proxy: Pod, client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    secret = secrets.token_hex(12)
    login = base64.b64encode(f"AWS:{secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {login}",
        "Proxy-Authorization": f"Basic {login}",
        "Cookie": f"session={secret}",
        "Referer": f"https://user:{secret}@ci.example.net/",
        "X-Amz-Security-Token": secret,
        "X-Request-Id": secret,
        "X-Forwarded-User": secret,
        "If-None-Match": f'"{secret}"',
        "Accept": f"{MANIFEST}, application/{secret}",
    }
    path = "/v2/team/recorded/manifests/1.4"
    client.get(f"{path}?X-Amz-Signature={secret}", headers)
    client.get(f"/v2/team/recorded/blobs/{image.layers[0]}?token={secret}", headers)
    for target in (f"http://user:{secret}@{path}", f"http://user:{secret}@x{path}", f"{path}#{secret}"):
        client.send_raw(f"GET {target} HTTP/1.1\r\nHost: {secret}.example\r\n\r\n".encode())
    assert len(recorded(5)) == 5
    for form in (secret, login, base64.b64encode(secret.encode()).decode()):
        assert form not in proxy.logs()


@pytest.mark.rule("R95")
def test_each_field_has_a_longest_length_whatever_a_client_sends(
    client: Client, image: Image, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    long, backslashes = "a" * 7000, "\\" * 600
    for path in (
        f"/v2/{long}/manifests/1",
        f"/v2/team/{'r' * 250}/manifests/{'t' * 128}",
        f"/v2/team/{'r' * 300}/manifests/1",
        f"/v2/team/recorded/manifests/{'t' * 129}",
        f"/v2/team/recorded/manifests/sha256:{'0' * 200}",
        f"/v2/team/recorded/blobs/{image.layers[0]}",
        "/" + '"' * 5000,
    ):
        client.get(path, {"User-Agent": backslashes})
    client.send_raw(f"{'A' * 5000} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    found = recorded(8)
    assert [record["status"] for record in found] == [404, 404, 404, 404, 404, 200, 404, 405]
    for record in found:
        assert list(record) == list(LONGEST)
        assert {name: value for name, value in record.items() if len(str(value)) > LONGEST[name]} == {}
        assert record["schema"] == 1


@pytest.mark.rule("R95")
def test_no_text_of_a_client_holds_what_a_search_in_the_line_takes_for_a_field(
    client: Client, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    forged = ('","status":200,"bytes":999999999,"cache":"HIT"', r'\","status":200')
    for text in forged:
        client.get(f"/v2/team/recorded/blobs/x{text}", {"User-Agent": f"curl/8 {text}"})
    assert [(one["path"], one["user_agent"]) for one in recorded(2)] == [("/v2/team/recorded/blobs/x", "curl/8 ")] * 2


@pytest.mark.rule("R95")
@pytest.mark.usefixtures("image")
def test_the_record_of_a_client_that_leaves_at_once_is_json(
    proxy: Pod, client: Client, recorded: Callable[[int], list[dict[str, Any]]]
) -> None:
    """nginx writes 000, which is no number of JSON, when it knows no status yet."""
    client.get("/v2/team/recorded/manifests/1.4")
    states = proxy.folder / "cache" / "images"
    for number in range(500):
        # nginx then asks for the state of the image, and knows no status until it has that.
        for file in states.glob("*/*/*"):
            if "." not in file.name:  # that nginx is still writing
                file.unlink()
        with socket.create_connection((ADDRESS, 8080)) as connection:
            connection.sendall(b"GET /v2/team/recorded/manifests/1.4 HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(number % 50 / 50_000)
            connection.shutdown(socket.SHUT_WR)
    statuses = [record["status"] for record in recorded(501)]
    assert set(statuses) <= {200, 499}
    assert 499 in statuses
    assert '"status":0' not in proxy.logs()
