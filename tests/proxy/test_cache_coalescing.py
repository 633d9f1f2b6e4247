"""Concurrent requests for the same content."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from tests.proxy.cache_times import TAG_EXPIRED_SECONDS
from tests.proxy.client import ACCEPT, Answer, Client

MIB = 1 << 20
CLIENTS = 10

pytestmark = pytest.mark.usefixtures("proxy")


def concurrent_answers(client: Client, paths: list[str]) -> list[Answer]:
    """The answers to concurrent requests."""
    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(lambda path: client.get(path, ACCEPT), paths))


@pytest.mark.rule("R17")
def test_concurrent_requests_for_an_uncached_blob_cost_one_ecr_request_and_one_download(
    client: Client, control: Control, publisher: Publisher
) -> None:
    content = secrets.token_bytes(6 * MIB + 1)
    digest = publisher.blob("team/app", content)
    assert publisher.blob("base", content) == digest
    mark = control.mark()
    paths = [f"/v2/{repository}/blobs/{digest}" for repository in ("team/app", "base") for _ in range(CLIENTS // 2)]
    with control.behaving(Behaviour(s3_bytes_per_second=10_000_000)):
        answers = concurrent_answers(client, paths)
    assert [answer.body == content for answer in answers] == [True] * CLIENTS
    assert control.requests(mark).sent_bytes("s3.layer") == len(content)
    assert control.requests(mark).count("registry") <= 2, "one redirect for each repository"


@pytest.mark.rule("R17")
def test_a_waiting_client_streams_a_blob_from_its_start_while_it_is_fetched(
    client: Client, control: Control, publisher: Publisher
) -> None:
    """At 1 MB/s the blob takes eight seconds; the second client gets its first bytes after one slice."""
    content = secrets.token_bytes(8 * MIB)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    with (
        control.behaving(Behaviour(s3_bytes_per_second=MIB)),
        closing(client.open("GET", path)) as first,
    ):
        fetching = first.getresponse()
        assert fetching.read(1000) == content[:1000]
        with closing(client.open("GET", path)) as second:
            began = time.monotonic()
            assert second.getresponse().read(1000) == content[:1000]
            assert time.monotonic() - began < 6
        control.reset()
        assert fetching.read() == content[1000:]


@pytest.mark.rule("R33")
@pytest.mark.parametrize("kind", ["blob", "digest", "tag"])
def test_concurrent_requests_share_one_failure_of_ecr(
    client: Client, control: Control, publisher: Publisher, kind: str
) -> None:
    tag = secrets.token_hex(4)
    image = publisher.image("team/app", tag, [secrets.token_bytes(100)])
    reference = {"blob": f"blobs/{image.layers[0]}", "digest": f"manifests/{image.digest}", "tag": f"manifests/{tag}"}
    mark = control.mark()
    began = time.monotonic()
    with control.behaving(Behaviour(registry_status=503, registry_delay_seconds=0.3)):
        answers = concurrent_answers(client, [f"/v2/team/app/{reference[kind]}"] * CLIENTS)
    assert [answer.status for answer in answers] == [503] * CLIENTS
    assert time.monotonic() - began < 3
    assert control.requests(mark).count("registry") <= 2


@pytest.mark.rule("R17")
def test_concurrent_requests_for_an_expired_tag_are_coalesced_and_none_gets_the_stale_one(
    client: Client, control: Control, publisher: Publisher
) -> None:
    """Two requests to ECR, where the second changes meanwhile: it is part of the micro-cache's key."""
    tag = secrets.token_hex(4)
    publisher.image("team/app", tag, [secrets.token_bytes(100)])
    path = f"/v2/team/app/manifests/{tag}"
    client.get(path, ACCEPT)
    moved = publisher.image("team/app", tag, [secrets.token_bytes(100)])
    time.sleep(TAG_EXPIRED_SECONDS)
    mark = control.mark()
    with control.behaving(Behaviour(registry_delay_seconds=0.3)):
        answers = concurrent_answers(client, [path] * CLIENTS)
    assert [answer.body for answer in answers] == [moved.manifest] * CLIENTS
    assert control.requests(mark).count("registry") < CLIENTS // 2


@pytest.mark.rule("R17")
@pytest.mark.parametrize(("reference", "expected"), [("tag", ["HEAD", "GET"]), ("digest", ["GET"])])
def test_concurrent_requests_for_an_uncached_manifest_cost_one_each_to_ecr(
    client: Client, control: Control, publisher: Publisher, reference: str, expected: list[str]
) -> None:
    tag = secrets.token_hex(4)
    image = publisher.image("team/app", tag, [secrets.token_bytes(100)])
    path = f"/v2/team/app/manifests/{tag if reference == 'tag' else image.digest}"
    mark = control.mark()
    with control.behaving(Behaviour(registry_delay_seconds=0.3)):
        answers = concurrent_answers(client, [path] * CLIENTS)
    assert [answer.body for answer in answers] == [image.manifest] * CLIENTS
    assert [entry.method for entry in control.requests(mark).entries] == expected
