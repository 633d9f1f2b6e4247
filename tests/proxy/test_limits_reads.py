"""Limits of one client for short reads that are not cached, and for requests at the same time."""

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.client import Client
from tests.proxy.limited import EXPOSURE, HONEST, HOSTILE, flood, of
from tests.proxy.traffic import wait_until_requested

MIB = 1 << 20
QUEUE, CONNECTIONS = 40, 20
READS = 100
CACHE_MIB = 96
"""One client may fill it in eight seconds."""
PAUSE_SECONDS = 0.5
BLOBS, BLOB_MIB = 30, 16
"""Much more than the cache holds."""


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture
def small(pod: Pod, publisher: Publisher, request: pytest.FixtureRequest) -> Iterator[Pod]:
    """A serving pod with smaller limits, before an ECR that knows the repository."""
    publisher.blob("team/app", b"anything")
    template = pod.template(TEMPLATE_KEY)
    for words, smaller in request.param.items():
        assert template.count(words) == 1
        template = template.replace(words, smaller)
    pod.configure(template)
    # Much of so small a cache is in use, and nginx passes over what is.
    pod.tolerated += ("ignore long locked inactive cache entry",)
    pod.start()
    yield pod
    pod.kill()


QUEUED = {"zone=parts burst=600 delay=200": f"zone=parts burst={QUEUE} delay=10"}
SHORT_QUEUE = pytest.mark.parametrize("small", [QUEUED], indirect=True)
SMALL_CACHE = pytest.mark.parametrize(
    "small", [{**QUEUED, "max_size={{ cache.size_gib }}g": f"max_size={CACHE_MIB}m"}], indirect=True
)
FEW_AT_ONCE = pytest.mark.parametrize(
    "small", [{"limit_conn clients 500": f"limit_conn clients {CONNECTIONS}"}], indirect=True
)


def read(client: Client, path: str, at: int, address: str) -> int:
    return client.get(path, {**of(address), "Range": f"bytes={at}-{at}"}).status


@pytest.mark.rule("R79", "F27")
@SHORT_QUEUE
@pytest.mark.usefixtures("small")
def test_short_reads_of_one_client_are_limited_and_harm_no_other(client: Client, control: Control) -> None:
    path = f"/v2/team/app/blobs/{control.generated_layer(READS * MIB)}"
    assert [read(client, path, at * MIB, HONEST) for at in (0, 1)] == [206, 206]
    mark = control.mark()
    with ThreadPoolExecutor(READS) as pool:
        asked = [pool.submit(read, client, path, at * MIB, HOSTILE) for at in range(2, READS)]
        others = [read(client, path, at * MIB + 500_000, HONEST) for at in range(2, 6)]
        statuses = Counter(one.result() for one in asked)
    assert others == [206] * 4
    assert set(statuses) == {206, 429}
    assert control.requests(mark).count("s3.layer") == statuses[206] + len(others)
    assert [read(client, path, at * MIB, HOSTILE) for at in (0, 1)] == [206, 206], "what is cached does not count"


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
