"""ECR's redirects to S3 are cached for minutes, and requested again when S3 refuses one."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.cache_times import TAG_EXPIRED_SECONDS
from tests.proxy.client import Client

LAYER = secrets.token_bytes(2_500_000)
DIGEST = digest_of(LAYER)
BLOB = f"/v2/team/app/blobs/{DIGEST}"
ESTABLISHED = "01"
FIRST, SECOND = {"Range": "bytes=0-9"}, {"Range": "bytes=1048576-1048585"}

PARTS = (f"bytes=0-{(4 << 20) - 1}", f"bytes={4 << 20}-{(8 << 20) - 1}")

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(autouse=True, scope="module")
def published(publisher: Publisher) -> None:
    for repository in ("team/app", "team/copy"):
        publisher.blob(repository, LAYER)


@pytest.mark.rule("R21")
def test_a_redirect_is_reused_and_never_sent_to_a_client(client: Client, control: Control) -> None:
    mark = control.mark()
    for range_ in (FIRST, SECOND):
        answer = client.get(BLOB, range_)
        assert (answer.status, answer.header("Location")) == (206, None)
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R21")
def test_a_redirect_is_cached_whatever_ecrs_cache_headers_say(client: Client, control: Control) -> None:
    """The signature is valid for an hour, which is longer than the TTL."""
    mark = control.mark()
    with control.behaving(Behaviour(registry_forbids_caching=True)):
        assert [client.get(BLOB, range_).status for range_ in (FIRST, SECOND)] == [206, 206]
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R21")
def test_a_redirect_belongs_to_its_repository(client: Client, control: Control) -> None:
    client.get(BLOB, FIRST)
    mark = control.mark()
    client.get(f"/v2/team/copy/blobs/{DIGEST}", SECOND)
    assert [e.path for e in control.requests(mark).of("registry")] == [f"/v2/team/copy/blobs/{DIGEST}"]


@pytest.mark.rule("R21", "F10")
def test_a_new_redirect_is_requested_when_s3_refuses_one(client: Client, control: Control) -> None:
    client.get(BLOB, FIRST)
    control.void_locations()
    mark = control.mark()
    assert client.get(BLOB, SECOND).status == 206
    found = control.requests(mark)
    assert [e.kind for e in found.entries] == ["s3.layer", "registry.blobs", "s3.layer"]
    assert [e.status for e in found.entries] == [403, 307, 206]
    assert client.get(BLOB).body == LAYER


@pytest.mark.rule("R21", "F10", "F11")
@pytest.mark.parametrize("fault", [Behaviour(s3_status=403), Behaviour(s3_status=404)], ids=["403", "404"])
def test_a_new_redirect_is_requested_only_once(
    client: Client, control: Control, publisher: Publisher, fault: Behaviour
) -> None:
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(10))}"
    mark = control.mark()
    with control.behaving(fault):
        assert client.get(path).status == 503
    assert [e.kind for e in control.requests(mark).entries] == ["registry.blobs", "s3.layer"] * 2


@pytest.mark.rule("R21")
def test_a_redirect_to_a_foreign_host_is_not_cached(client: Client, control: Control, publisher: Publisher) -> None:
    content = secrets.token_bytes(3_000_000)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    with control.behaving(Behaviour(location_host="evil.example")):
        assert client.get(path).status == 502
    assert client.get(path, SECOND).body == content[1 << 20 : (1 << 20) + 10]


@pytest.mark.rule("R23")
def test_a_missing_blob_is_cached_for_unknown_seconds(client: Client, control: Control, publisher: Publisher) -> None:
    content = secrets.token_bytes(10)
    path = f"/v2/team/app/blobs/{digest_of(content)}"
    mark = control.mark()
    assert [client.get(path).status for _ in range(3)] == [404] * 3
    assert control.requests(mark).count("registry") == 1
    publisher.blob("team/app", content)
    time.sleep(TAG_EXPIRED_SECONDS)
    assert client.get(path).body == content


@pytest.mark.rule("R21")
@pytest.mark.parametrize("characters", [1_100, 4_096, 12_000, 32_000])
def test_a_redirect_of_any_length_is_cached(client: Client, control: Control, characters: int) -> None:
    mark = control.mark()
    with control.behaving(Behaviour(location_characters=characters)):
        assert client.get(BLOB).body == LAYER
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R21")
def test_signed_urls_are_not_on_the_disk_of_the_cache(client: Client, proxy: Pod) -> None:
    client.get(BLOB)
    contents = [file.read_bytes() for file in (proxy.folder / "cache").rglob("*") if file.is_file()]
    assert contents
    assert not any(b"X-Amz-Signature" in content for content in contents)


@pytest.mark.rule("R15")
def test_the_slices_of_a_blob_share_connections_to_s3(
    client: Client, control: Control, publisher: Publisher, world: World
) -> None:
    """Two ranges of four slices, which are not read ahead, one after the other."""
    content = secrets.token_bytes(8 << 20)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    seen = set()
    of_earlier_pulls = connections_to(world.s3_address)
    with control.behaving(Behaviour(s3_bytes_per_second=8 << 20)), ThreadPoolExecutor(1) as pool:
        pull = pool.submit(lambda: [client.get(path, {"Range": part}).body for part in PARTS])
        while not pull.done():
            seen |= connections_to(world.s3_address)
            time.sleep(0.01)
    assert b"".join(pull.result()) == content
    assert len(seen - of_earlier_pulls) <= 2, "one for each worker"


def connections_to(address: str) -> set[str]:
    """The local ends of the established connections to an address."""
    there = f"{int.from_bytes(ip_address(address).packed, 'little'):08X}:01BB"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[2] == there and row[3] == ESTABLISHED}
