"""The journal and the control API: rows C of testbed/docs/ecr-double.md."""

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.endpoints import CONTROL_PORT, LOOPBACK
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import fingerprint
from testbed.sandbox.world import World

LAYER = b"0123456789" * 100


@pytest.fixture
def digest(publisher: Publisher, repository: str) -> str:
    return publisher.image(repository, "1", [LAYER]).layers[0]


@pytest.mark.row("C1")
def test_a_pull_is_seen_request_by_request(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, repository: str, digest: str
) -> None:
    mark = control.mark()

    ecr.head(f"/v2/{repository}/manifests/1")
    ecr.get(f"/v2/{repository}/manifests/1")
    client.get(ecr.get(f"/v2/{repository}/blobs/{digest}").headers["Location"])
    ecr.get(f"/v2/{repository}/tags/list")

    seen = control.requests(mark)
    assert [entry.kind for entry in seen.entries] == [
        "registry.manifests",
        "registry.manifests",
        "registry.blobs",
        "s3.layer",
        "registry.tags",
    ]
    assert (seen.count("registry"), seen.count("s3"), seen.count("ecr")) == (4, 1, 0)
    assert [entry.status for entry in seen.entries] == [200, 200, 307, 200, 200]
    assert seen.sent_bytes("s3") == len(LAYER)


@pytest.mark.row("C2")
def test_ranges_and_their_bytes_are_seen(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, repository: str, digest: str
) -> None:
    location = ecr.get(f"/v2/{repository}/blobs/{digest}").headers["Location"]
    mark = control.mark()

    client.get(location, headers={"Range": "bytes=100-299"})

    (entry,) = control.requests(mark).entries
    assert (entry.headers["range"], entry.status, entry.sent_bytes) == ("bytes=100-299", 206, 200)


@pytest.mark.row("C3")
def test_a_request_is_seen_before_its_answer_ends(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, repository: str, digest: str
) -> None:
    location = ecr.get(f"/v2/{repository}/blobs/{digest}").headers["Location"]
    mark = control.mark()
    control.set(Behaviour(s3_bytes_per_second=100))

    with client.stream("GET", location) as answer:
        next(answer.iter_raw())
        (entry,) = control.requests(mark).entries

    assert entry.status == 200
    assert 0 < entry.sent_bytes < len(LAYER)


@pytest.mark.row("C4")
def test_credentials_are_seen_as_fingerprints(
    ecr: httpx2.Client, control: Control, world: World, authorization: str
) -> None:
    mark = control.mark()

    ecr.get("/v2/", headers={"Cookie": "secret"})

    (entry,) = control.requests(mark).of("registry.ping")
    assert entry.headers["authorization"] == f"Basic {fingerprint(authorization)}"
    assert entry.headers["cookie"] == fingerprint("secret")
    assert authorization not in entry.model_dump_json()
    assert (entry.host, entry.server_name) == (world.ecr_host, world.ecr_host)


@pytest.mark.row("C5")
def test_a_location_is_seen_without_its_query(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, repository: str, digest: str
) -> None:
    location = ecr.get(f"/v2/{repository}/blobs/{digest}").headers["Location"]
    mark = control.mark()

    client.get(location)

    (entry,) = control.requests(mark).entries
    assert "authorization" not in entry.headers
    assert "X-Amz" not in entry.model_dump_json()
    assert entry.path.endswith(digest.removeprefix("sha256:"))


@pytest.mark.row("C6")
def test_a_mark_hides_what_came_before(ecr: httpx2.Client, control: Control) -> None:
    ecr.get("/v2/")

    assert control.requests(control.mark()).entries == ()


@pytest.mark.row("C7")
def test_a_behaviour_lasts_for_its_block(ecr: httpx2.Client, control: Control) -> None:
    with control.behaving(Behaviour(registry_status=503)):
        assert ecr.get("/v2/").status_code == 503

    assert ecr.get("/v2/").status_code == 200
    assert control.behaviour() == Behaviour()


@pytest.mark.row("C8")
@pytest.mark.parametrize("body", ['{"s3_statsu": 500}', '{"s3_status": 200}', '{"token_characters": 3}'])
@pytest.mark.usefixtures("control")
def test_a_behaviour_that_does_not_exist_is_refused(body: str) -> None:
    answer = httpx2.put(f"http://{LOOPBACK}:{CONTROL_PORT}/behaviour", content=body, trust_env=False)

    assert answer.status_code == 422
    assert body.split('"')[1] in answer.text
