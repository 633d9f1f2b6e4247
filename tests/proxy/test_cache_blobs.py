"""Cached blobs: by digest, in slices, for every allowed repository."""

import secrets
import ssl
import time

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher, digest_of
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import Client

MIB = 1 << 20
LAYER = secrets.token_bytes(3 * MIB + 500_000)
DIGEST = digest_of(LAYER)
BLOB = f"/v2/team/app/blobs/{DIGEST}"
SLICES = [(0, MIB), (MIB, 2 * MIB), (2 * MIB, 3 * MIB), (3 * MIB, 4 * MIB)]

pytestmark = pytest.mark.usefixtures("proxy", "published")


@pytest.fixture(scope="module")
def published(publisher: Publisher, world: World, token: Token, trust: ssl.SSLContext) -> None:
    for repository in ("team/app", "base", "secret/app"):
        assert publisher.blob(repository, LAYER) == DIGEST
    with httpx2.Client(verify=trust, trust_env=False) as session:
        Publisher(session, world.ecr_hosts[1], token.authorization).blob("other/app", LAYER)


@pytest.mark.rule("R15")
def test_a_blob_is_fetched_once_in_slices_over_one_redirect(client: Client, control: Control) -> None:
    mark = control.mark()
    assert [client.get(BLOB).body == LAYER for _ in range(3)] == [True] * 3
    found = control.requests(mark)
    assert [entry.kind for entry in found.entries] == ["registry.blobs", *["s3.layer"] * len(SLICES)]
    # The last ones are read ahead, side by side.
    ranges = sorted(e.headers["range"] for e in found.of("s3"))
    assert ranges == [f"bytes={begin}-{end - 1}" for begin, end in SLICES]
    assert found.sent_bytes("s3.layer") == len(LAYER)


@pytest.mark.rule("R15")
@pytest.mark.parametrize(
    "path", [f"{BLOB}?ns=registry.frontdoor.test", f"/v2/base/blobs/{DIGEST}", f"/v2/other/app/blobs/{DIGEST}"]
)
def test_a_blob_is_cached_for_every_repository_and_registry(client: Client, control: Control, path: str) -> None:
    client.get(BLOB)
    mark = control.mark()
    assert client.get(path).body == LAYER
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R16")
@pytest.mark.parametrize(
    "path",
    [
        f"/v2/secret/app/blobs/{DIGEST}",
        f"/v2/team/../secret/app/blobs/{DIGEST}",
        f"/v2/team/%2e%2e/secret/app/blobs/{DIGEST}",
        f"/v2/secret%2fapp/blobs/{DIGEST}",
        f"/v2//secret//app/blobs/{DIGEST}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_cached_blob_is_not_served_for_a_repository_outside_the_allow_list(
    client: Client, method: str, path: str
) -> None:
    assert client.get(BLOB).body == LAYER
    assert client.head(BLOB).status == 200
    assert client.ask(method, path).status == 404


@pytest.mark.rule("R18")
@pytest.mark.parametrize(
    ("range_", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        (f"bytes={MIB - 1}-{MIB}", MIB - 1, MIB + 1),
        (f"bytes={MIB}-{2 * MIB - 1}", MIB, 2 * MIB),
        ("bytes=1500000-3400000", 1_500_000, 3_400_001),
        (f"bytes={len(LAYER) - 1}-", len(LAYER) - 1, len(LAYER)),
        (f"bytes=3000000-{len(LAYER) + 10_000_000}", 3_000_000, len(LAYER)),
        ("bytes=-5", len(LAYER) - 5, len(LAYER)),
        ("bytes=-2000000", len(LAYER) - 2_000_000, len(LAYER)),
        ("bytes=-99999999", 0, len(LAYER)),
    ],
)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_range_is_exact_to_the_byte(client: Client, warm: bool, range_: str, begin: int, end: int) -> None:  # noqa: FBT001 - a parameter
    if warm:
        client.get(BLOB)
    for _ in range(2):
        answer = client.get(BLOB, {"Range": range_})
        assert (answer.status, answer.body == LAYER[begin:end]) == (206, True)
        assert answer.header("Content-Range") == f"bytes {begin}-{end - 1}/{len(LAYER)}"
        assert answer.header("Accept-Ranges") == "bytes"
    assert client.get(BLOB).body == LAYER


@pytest.mark.rule("R18")
def test_a_range_of_another_unit_gets_the_whole_blob(client: Client) -> None:
    answer = client.get(BLOB, {"Range": "lines=1-2"})
    assert (answer.status, answer.body == LAYER, answer.header("Accept-Ranges")) == (200, True, "bytes")


@pytest.mark.rule("R18")
@pytest.mark.parametrize(
    "range_",
    [f"bytes={len(LAYER)}-", "bytes=99999999-", f"bytes={len(LAYER)}-{len(LAYER) + 9}", "bytes=99999999-99999999"],
)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_range_beyond_the_end_is_refused(client: Client, warm: bool, range_: str) -> None:  # noqa: FBT001 - a parameter
    if warm:
        client.get(BLOB)
    answer = client.get(BLOB, {"Range": range_})
    assert (answer.status, answer.body) == (416, b"")
    assert answer.header("Content-Range") == f"bytes */{len(LAYER)}"


@pytest.mark.rule("R18")
@pytest.mark.parametrize("range_", ["bytes=5-4", "bytes=1048577-1048576"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_range_that_ends_before_it_begins_is_refused(client: Client, warm: bool, range_: str) -> None:  # noqa: FBT001 - a parameter
    if warm:
        client.get(BLOB)
    answer = client.get(BLOB, {"Range": range_})
    assert (answer.status, answer.body) == (416, b"")
    assert client.get(BLOB).body == LAYER


@pytest.mark.rule("R14")
def test_a_head_is_never_converted_to_a_get_and_downloads_nothing(client: Client, control: Control) -> None:
    mark = control.mark()
    for _ in range(2):
        answer = client.head(BLOB)
        assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", str(len(LAYER)))
    assert [(e.method, e.kind) for e in control.requests(mark).entries] == [("HEAD", "registry.blobs")] * 2
    assert client.get(BLOB).body == LAYER
    assert client.head(BLOB).header("Content-Length") == str(len(LAYER))


@pytest.mark.rule("R20")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_matching_if_none_match_for_a_blob_is_304(client: Client, method: str) -> None:
    for _ in range(2):
        answer = client.ask(method, BLOB, {"If-None-Match": f'"{DIGEST}"'})
        assert (answer.status, answer.body) == (304, b"")
        assert client.ask(method, BLOB, {"If-None-Match": '"sha256:other"'}).status == 200


@pytest.mark.rule("R19")
def test_copies_of_a_layer_with_different_etags_are_one_blob(client: Client, control: Control) -> None:
    with control.behaving(Behaviour(s3_etag_per_repository=True)):
        assert client.get(f"/v2/base/blobs/{DIGEST}", {"Range": f"bytes={MIB}-{3 * MIB - 1}"}).status == 206
        mark = control.mark()
        assert client.get(BLOB).body == LAYER
        assert control.requests(mark).count("s3.layer") == len(SLICES) - 2, "two slices are of the other copy"


@pytest.mark.rule("R19")
@pytest.mark.parametrize("range_", [None, "bytes=0-0", "bytes=0-"])
def test_an_empty_blob_is_cached(
    client: Client, control: Control, publisher: Publisher, proxy: Pod, range_: str | None
) -> None:
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', b'')}"
    proxy.empty_cache()
    mark = control.mark()
    for _ in range(2):
        answer = client.get(path, {"Range": range_} if range_ else {})
        assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", "0")
        assert answer.header("Content-Range") is None
        assert answer.header("Accept-Ranges") in {None, "bytes"}
        assert answer.header("ETag") == f'"{digest_of(b"")}"'
    assert control.requests(mark).count("s3.layer") == 1


@pytest.mark.rule("R14")
def test_a_head_reads_what_a_get_has_cached(client: Client, control: Control) -> None:
    client.get(BLOB)
    with control.behaving(Behaviour(registry_outage="refused")):
        answer = client.head(BLOB)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(LAYER))
    assert answer.header("Docker-Content-Digest") == DIGEST


@pytest.mark.rule("R14")
def test_a_head_of_an_uncached_blob_is_not_cached(client: Client, proxy: Pod) -> None:
    before = proxy.cached_files()
    assert client.head(BLOB).header("Content-Length") == str(len(LAYER))
    time.sleep(0.5)
    assert proxy.cached_files() == before
    assert client.get(BLOB).body == LAYER
