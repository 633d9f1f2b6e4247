"""The budget for ECR, and the share of one client, beside other clients.

ECR allows 40 requests per second, and the hostile client sends 300.
"""

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import Answer, Client
from tests.proxy.limited import (
    EXPOSURE,
    HONEST,
    HOSTILE,
    OTHER,
    at_once,
    configure_short_queue,
    flood,
    of,
    pull,
    refusal,
    with_budget,
)

ALLOWED, BUDGET = 40, 20
LOTS = 1000
UNKNOWN = ""
KNOWN = "/v2/team/app/manifests/known"
TAG_SECONDS = 3
SHARE = BUDGET // 2


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_budget(settings, BUDGET)


@pytest.fixture
def limited(pod: Pod) -> Iterator[Pod]:
    """A serving pod with empty queues. It is killed: what a hostile client has queued would hold up its end."""
    pod.start()
    yield pod
    pod.kill()


@pytest.fixture
def known(limited: Pod, client: Client, publisher: Publisher) -> Image:
    """An image that is cached, with the tag `known`."""
    image = new_image(publisher, "known")
    assert limited.pid
    assert set(pull(client, image, "known", HONEST)) == {200}
    return image


def new_image(publisher: Publisher, tag: str) -> Image:
    return publisher.image("team/app", tag, [secrets.token_bytes(2_000) for _ in range(3)])


def paths(publisher: Publisher) -> tuple[str, str, str]:
    """Content that ECR has and the pod does not: a manifest by digest and by tag, and a blob."""
    base, tag = "/v2/team/app", secrets.token_hex(8)
    image, other = new_image(publisher, secrets.token_hex(8)), new_image(publisher, tag)
    return f"{base}/manifests/{image.digest}", f"{base}/manifests/{tag}", f"{base}/blobs/{other.layers[0]}"


def missing(count: int) -> list[str]:
    return [f"/v2/team/app/manifests/sha256:{secrets.token_hex(32)}" for _ in range(count)]


def timed(client: Client, path: str, address: str) -> tuple[Answer, float]:
    began = time.monotonic()
    return client.get(path, of(address)), time.monotonic() - began


@pytest.mark.rule("R72", "R73", "F26")
@pytest.mark.parametrize("kind", ["missing", "accepts"])
def test_other_clients_pull_beside_a_flood(
    client: Client, control: Control, publisher: Publisher, known: Image, limited: Pod, kind: str
) -> None:
    images = {tag: new_image(publisher, tag) for tag in (secrets.token_hex(8) for _ in range(6))}
    cached, uncached, started = [], [], []
    mark, began = control.mark(), time.monotonic()
    with control.behaving(Behaviour(registry_requests_per_second=ALLOWED)), flood(kind, path=[KNOWN]):
        for tag, image in images.items():
            cached += pull(client, known, "known", HONEST)
            uncached += pull(client, image, tag, OTHER)
            started.append(client.get("/-/startup").status)
        requests = control.requests(mark).of("registry")
    assert (set(cached), set(uncached), set(started)) == ({200}, {200}, {200})
    assert 429 not in {entry.status for entry in requests}
    assert len(requests) < BUDGET * (time.monotonic() - began + 1)
    assert {line["client"] for line in limited.access_log("ecr", "") if "/team/app/" in line["path"]} == {
        HOSTILE,
        HONEST,
        OTHER,
    }


def refused(pod: Pod) -> list[dict[str, Any]]:
    """The log lines of requests that the budget does not allow."""
    return [line for line in pod.access_log("ecr", "") if line["status"] == 429]


@pytest.mark.rule("R72", "R74", "R78")
def test_the_budget_holds_where_clients_are_unknown(
    limited: Pod, client: Client, control: Control, known: Image
) -> None:
    cached, started = [], []
    mark = control.mark()
    with control.behaving(Behaviour(registry_requests_per_second=ALLOWED)), flood(rate=100, address=UNKNOWN):
        wait_until(lambda: refused(limited), "the budget is used up")
        time.sleep(TAG_SECONDS)
        for _ in range(5):
            cached += pull(client, known, "known", UNKNOWN)
            started.append(client.get("/-/startup").status)
            time.sleep(0.1)
        requests = control.requests(mark).of("registry")
    assert (set(cached), set(started)) == ({200}, {200})
    assert 429 not in {entry.status for entry in requests}
    assert {line["upstream"] for line in refused(limited)} == {""}, "the circuit breaker has not opened"


@pytest.fixture
def short(limited: Pod) -> Pod:
    """The pod, with a queue of each client that a slow machine floods, too."""
    configure_short_queue(limited)
    return limited


@pytest.mark.rule("R74")
def test_what_exceeds_the_queue_of_a_client_is_refused(short: Pod) -> None:
    with flood(rate=30):
        path, answer = refusal(missing(LOTS), HOSTILE)
    assert (answer.error_code(), answer.header("Retry-After")) == ("TOOMANYREQUESTS", "5")
    assert answer.header("Warning")
    assert answer.header("X-Limited") is None
    line = short.access_log("answers", path)[-1]
    assert (line["status"], line["client"], line["upstream"]) == (429, HOSTILE, "")


@pytest.mark.rule("R73")
@pytest.mark.usefixtures("short")
def test_a_share_is_that_of_a_network(client: Client) -> None:
    with flood(rate=30, address="2001:db8:1:2::1"):
        refusal(missing(LOTS), "2001:db8:1:2::ffff")
        for address in ("2001:db8:1:3::1", HONEST, UNKNOWN):
            (path,) = missing(1)
            answer, seconds = timed(client, path, address)
            assert (answer.status, seconds < 1.5) == (404, True)


@pytest.mark.rule("R74")
@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("kind", range(3), ids=["digest", "tag", "blob"])
def test_a_refusal_answers_no_other_client(client: Client, publisher: Publisher, kind: int) -> None:
    chosen = [paths(publisher)[kind] for _ in range(8)]
    with flood(rate=30):
        refusal(missing(LOTS), HOSTILE)
        path, _ = refusal(chosen, HOSTILE)
        answer, seconds = timed(client, path, OTHER)
        assert (answer.status, seconds < 1.5) == (200, True)


@pytest.mark.rule("R74")
@pytest.mark.usefixtures("short")
def test_clients_that_wait_for_the_same_content_get_no_refusal(client: Client, publisher: Publisher) -> None:
    chosen = paths(publisher)
    with flood(rate=30), ThreadPoolExecutor(60) as pool:
        refusal(missing(LOTS), HOSTILE)
        addresses = ((HOSTILE,) * 9 + (OTHER,)) * 2
        asked = [(address, pool.submit(client.get, path, of(address))) for address in addresses for path in chosen]
        assert {answer.result().status for address, answer in asked if address == OTHER} == {200}


@pytest.mark.rule("R75")
@pytest.mark.usefixtures("limited")
def test_a_client_that_waits_for_its_share_holds_up_no_other(client: Client, publisher: Publisher) -> None:
    digest, tag, _ = paths(publisher)
    with ThreadPoolExecutor(102) as pool:
        queued = [pool.submit(client.get, path, of(HOSTILE)) for path in missing(100)]
        wait_until(
            lambda: len([one for one in queued if one.done()]) > SHARE, "the queue has formed", pause_seconds=0.02
        )
        held = [pool.submit(timed, client, path, HOSTILE) for path in (digest, tag)]
        time.sleep(0.5)
        answers = [timed(client, path, OTHER) for path in (digest, tag)]
        assert [(answer.status, seconds < 4) for answer, seconds in answers] == [(200, True)] * 2
        assert [one.result()[1] > 6 for one in held] == [True, True]


@pytest.mark.rule("R75")
@pytest.mark.usefixtures("limited")
def test_a_flood_of_requests_for_a_tag_holds_up_no_other_client(client: Client, known: Image) -> None:
    answers = []
    with flood("accepts", path=[KNOWN]):
        refusal(missing(LOTS), HOSTILE)
        for _ in range(8 * TAG_SECONDS):
            answers.append(timed(client, KNOWN, HONEST))
            time.sleep(0.25)
    assert {(answer.status, answer.header("Docker-Content-Digest")) for answer, _ in answers} == {(200, known.digest)}
    assert max(seconds for _, seconds in answers) < 2


@pytest.mark.rule("R73")
@pytest.mark.usefixtures("limited")
def test_stale_tags_count_for_the_client(client: Client, publisher: Publisher) -> None:
    tags = [secrets.token_hex(8) for _ in range(4 * SHARE)]
    for tag in tags:
        new_image(publisher, tag)
    asked = [f"/v2/team/app/manifests/{tag}" for tag in tags]
    assert {answer.status for answer in at_once(client, asked, OTHER)} == {200}
    time.sleep(TAG_SECONDS)
    began = time.monotonic()
    assert {answer.status for answer in at_once(client, asked, HOSTILE)} == {200}
    assert time.monotonic() - began < 2
    (path,) = missing(1)
    assert timed(client, path, HOSTILE)[1] > 1


@pytest.mark.rule("R77")
@pytest.mark.usefixtures("limited")
def test_that_a_tag_is_missing_is_cached_whatever_the_client_accepts(client: Client, control: Control) -> None:
    path, mark = f"/v2/team/app/manifests/{secrets.token_hex(8)}", control.mark()
    answers = [client.get(path, {"Accept": f"application/x-{number}"}) for number in range(20)]
    assert {answer.status for answer in answers} == {404}
    assert {json.loads(answer.body)["errors"][0]["code"] for answer in answers} == {"MANIFEST_UNKNOWN"}
    assert control.requests(mark).count("registry") == 2, "a HEAD, and a GET for ECR's message"
