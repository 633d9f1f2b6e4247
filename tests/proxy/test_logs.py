"""The logs: one line of JSON for each server a request passes, and no secret in any of them."""

import json
import uuid

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.client import ACCEPT, Client
from tests.proxy.conftest import SECRETS


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/logged", "1.4", [b"layer"])


@pytest.mark.rule("R39")
def test_a_log_line_has_the_client_the_request_and_the_result(proxy: Pod, client: Client, image: Image) -> None:
    path = "/v2/team/logged/manifests/1.4?X-Amz-Signature=secret-in-a-query"
    client.get(path, ACCEPT | {"User-Agent": "containerd/2.1"})
    (line,) = proxy.access_log("front", "/v2/team/logged/manifests/1.4")
    assert line.pop("time").startswith("20")
    assert line.pop("ended_at") > 1e9
    assert len(line.pop("id")) == 32
    # Two upstreams, one after the other: `tags`, and `ecr` for the manifest.
    upstream_seconds = [float(seconds) for seconds in line.pop("upstream_seconds").split(" : ")]
    assert len(upstream_seconds) == 2
    assert sum(upstream_seconds) > 0
    # nginx takes the times apart, each in whole milliseconds.
    assert round(float(line.pop("seconds")) - sum(upstream_seconds), 3) >= -0.002
    assert line == {
        "schema": 1,
        "server": "front",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/v2/team/logged/manifests/1.4",
        "status": 200,
        "bytes": len(image.manifest),
        "content_length": str(len(image.manifest)),
        "repository": "team/logged",
        "tag": "1.4",
        "digest": image.digest,
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "cache": "MISS",
        "upstream": "unix:/run/frontdoor/tags.sock : unix:/run/frontdoor/answers.sock",
        "upstream_status": "200 : 200",
        "user_agent": "containerd/2.1",
    }
    assert "secret-in-a-query" not in "".join(map(json.dumps, proxy.access_log("ecr", "/1.4")))


@pytest.mark.rule("R39")
def test_the_log_lines_of_one_pull_share_an_id(proxy: Pod, client: Client, image: Image) -> None:
    path = f"/v2/team/logged/blobs/{image.layers[0]}"
    client.get(path, {"X-Request-Id": "chosen-by-the-client"})
    ids = {server: proxy.access_log(server, path)[-1]["id"] for server in ("front", "layers", "ecr")}
    assert len(set(ids.values())) == 1
    assert ids["front"] != "chosen-by-the-client"


@pytest.mark.rule("R39")
def test_a_forwarded_address_is_not_trusted(proxy: Pod, client: Client) -> None:
    path = f"/v2/team/{uuid.uuid4().hex}/tags/list"
    client.get(path, {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7"})
    (line,) = proxy.access_log("front", path)
    assert line["client"] == "127.0.0.1"
    assert "203.0.113.7" not in proxy.logs()


@pytest.mark.rule("R39")
def test_a_client_cannot_break_or_inflate_a_log_line(proxy: Pod, client: Client) -> None:
    forged = b'"}\\n{"status":200,"forged":"' + b"'" * 3000
    path = b"/v2/forged" + b"'\"" * 2000
    client.send_raw(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nUser-Agent: " + forged + b"\r\n\r\n")
    client.send_raw(b"A" * 7000 + b" /v2/forged HTTP/1.1\r\nHost: x\r\n\r\n")
    client.send_raw(b"GET /v2/team/forged" + b"r" * 7000 + b"/tags/list HTTP/1.1\r\nHost: x\r\n\r\n")
    client.send_raw(b"GET /v2/\xff\x80 HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\x1b[31m\r\n\r\n")
    assert proxy.access_log("front", "/v2/")[-1]["user_agent"] == ""
    written = [line for line in (proxy.folder / "stdout").read_bytes().splitlines() if b"forged" in line]
    assert max(map(len, written)) < 4096, "longer lines of two workers could mix in a pipe"
    assert [json.loads(line)["status"] for line in written] == [404, 405, 404]
    assert json.loads(written[1])["method"] == "OTHER"


FAULTS = [
    Behaviour(s3_cut_after_bytes=2),
    Behaviour(s3_cut_after_bytes=0),
    Behaviour(s3_outage="refused"),
    Behaviour(s3_outage="reset"),
    Behaviour(s3_status=503),
    Behaviour(s3_status=403),
    Behaviour(location_host="evil.example"),
    Behaviour(location_host="prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"),
    Behaviour(location_relative=True),
    Behaviour(location_characters=70_000),
    Behaviour(registry_status=500),
    Behaviour(registry_outage="reset"),
]


@pytest.mark.rule("R40")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.model_dump(exclude_defaults=True)))
def test_no_failure_puts_a_signed_url_or_a_credential_into_a_log(
    proxy: Pod, client: Client, control: Control, publisher: Publisher, fault: Behaviour
) -> None:
    """The fixtures search the logs for the signatures of every Location, and for the token, when the pod ends."""
    path = f"/v2/team/logged/blobs/{publisher.blob('team/logged', uuid.uuid4().bytes)}"
    with control.behaving(fault):
        answer = client.get(path)
    assert answer.status in (502, 503) or not answer.complete
    assert proxy.access_log("front", path)
    for secret in SECRETS:
        assert secret.lower() not in proxy.logs().lower()
