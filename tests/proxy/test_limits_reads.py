"""Limits of one client for reads of parts that are not cached, and for requests at the same time."""

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import value, with_metrics
from testbed.waiting import wait_until
from tests.proxy.client import Client
from tests.proxy.limited import EXPOSURE, HONEST, HOSTILE, configure_smaller, flood, of
from tests.proxy.traffic import wait_until_requested

MIB = 1 << 20
QUEUE, CONNECTIONS = 40, 20
READS, PART = 100, 4 * MIB
CACHE_MIB = 96
"""One client may fill it in eight seconds."""
PAUSE_SECONDS = 0.5
BLOBS, BLOB_MIB = 30, 16
"""Much more than the cache holds."""


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(settings)


@pytest.fixture
def small(pod: Pod, publisher: Publisher, request: pytest.FixtureRequest) -> Iterator[Pod]:
    """A serving pod with smaller limits, before an ECR that knows the repository."""
    publisher.blob("team/app", b"anything")
    configure_smaller(pod, request.param)
    # Much of so small a cache is in use, and nginx passes over what is.
    pod.tolerated += ("ignore long locked inactive cache entry",)
    pod.start()
    yield pod
    pod.kill()


QUEUED = {"burst=600 delay=200": f"burst={QUEUE} delay=10"}
SLOW = pytest.mark.parametrize(
    "small",
    [
        {
            "zone=parts:1m rate=50r/s": "zone=parts:1m rate=1r/s",
            "burst=600 delay=200": f"burst={QUEUE} delay={QUEUE - 3}",
        }
    ],
    indirect=True,
)
"""One read a second, so that a slow machine reads faster, too."""
SMALL_CACHE = pytest.mark.parametrize(
    "small", [{**QUEUED, "max_size={{ cache.size_gib }}g": f"max_size={CACHE_MIB}m"}], indirect=True
)
FEW_AT_ONCE = pytest.mark.parametrize(
    "small", [{"limit_conn clients 500": f"limit_conn clients {CONNECTIONS}"}], indirect=True
)


def part(first: int, length: int | None) -> dict[str, str]:
    """The header of a read of `length` more bytes after the first, or of all that follow it."""
    return {"Range": f"bytes={first}-{'' if length is None else first + length}"}


def read(client: Client, path: str, header: Mapping[str, str], address: str) -> int:
    """The status of an answer that is not read: the client leaves."""
    with closing(client.open("GET", path, {**of(address), **header})) as connection:
        return connection.getresponse().status


@pytest.mark.rule("R79", "R112", "F27")
@pytest.mark.parametrize("kind", ["short", "long", "resumed", "cached"])
@SLOW
@pytest.mark.usefixtures("small")
def test_reads_of_parts_by_one_client_are_limited_and_harm_no_other(
    client: Client, control: Control, kind: str
) -> None:
    """A long range is one whose slices are large; of a cached blob, a short read stores its slice again.

    The limits of the page, whose paths begin as those of most refused reads do in nginx, are counted as `other`.
    """
    path = f"/v2/team/app/blobs/{control.generated_layer(READS * PART)}"
    if kind == "cached":
        assert client.get(path).status == 200
    last = {"long": PART - 1, "resumed": None}
    reads = [part(at * PART, last.get(kind, 0)) for at in range(1, READS)]
    others = [part(at * PART + PART // 2, 0) for at in range(1, 5)]
    known = part(0, 0)
    assert read(client, path, known, HONEST) == 206
    with ThreadPoolExecutor(READS) as pool:
        asked = [pool.submit(read, client, path, header, HOSTILE) for header in reads]
        assert [read(client, path, header, HONEST) for header in others] == [206] * 4
        answers = Counter(one.result() for one in asked)
    assert answers.keys() == {206, 429}
    assert read(client, path, known, HOSTILE) == 206, "what is cached does not count"
    wait_until(lambda: value('frontdoor_error_answers_total{status="429"}') == answers[429], "each refusal is counted")


@pytest.mark.rule("R79")
@SLOW
@pytest.mark.usefixtures("small")
def test_whole_pulls_do_not_count_as_reads_of_parts(client: Client, control: Control) -> None:
    path = f"/v2/team/app/blobs/{control.generated_layer(READS * PART)}"
    with ThreadPoolExecutor(READS) as pool:
        asked = [pool.submit(read, client, path, header, HONEST) for header in ({}, {"Range": "bytes=0-"}) * 4]
        assert {one.result() for one in asked} == {200, 206}


@pytest.mark.rule("R26", "F27")
@SMALL_CACHE
def test_what_is_used_often_stays_cached_beside_a_flood_of_short_reads_of_many_blobs(
    small: Pod, client: Client, control: Control, publisher: Publisher
) -> None:
    many = [f"/v2/team/app/blobs/{control.generated_layer(BLOB_MIB * MIB, seed)}" for seed in range(BLOBS)]
    hot = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(MIB))}"
    assert client.get(hot, of(HONEST)).status == 200
    mark = control.mark()
    with flood("one-byte-ranges", path=many, size=BLOB_MIB * MIB):
        # Until the flood has renewed the cache.
        while control.requests(mark).sent_bytes("s3.layer") < 2 * CACHE_MIB * MIB:
            time.sleep(PAUSE_SECONDS)
            assert client.get(hot, of(HONEST)).status == 200
    first, *others = (line["cache"] for line in small.access_log("front", hot))
    assert (first, set(others)) == ("MISS", {"HIT"})


@pytest.mark.rule("R79")
@FEW_AT_ONCE
def test_requests_at_the_same_time_are_limited_for_each_client_and_not_for_probes(
    small: Pod, client: Client, control: Control
) -> None:
    held, mark = Behaviour(registry_held_actions=frozenset({"ecr:ListImages"})), control.mark()
    missing = f"/v2/team/app/manifests/sha256:{'0' * 64}"
    with control.behaving(held), ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(closing(client.open("GET", "/v2/team/app/tags/list", of(HOSTILE))))
        wait_until_requested(control, mark, "registry.tags", CONNECTIONS)
        refused = client.get(missing, of(HOSTILE))
        assert (refused.status, refused.error_code()) == (429, "TOOMANYREQUESTS")
        assert int(refused.header("Retry-After") or 0) > 0
        assert {client.get(missing, of(address)).status for address in (HONEST, "")} == {404}
        assert {client.get(f"/-/{probe}", of(HOSTILE)).status for probe in ("live", "ready", "startup")} == {200}
    assert "limiting connections" not in small.error_log()
