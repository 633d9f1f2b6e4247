"""Limits of one client for short reads that are not cached, and for requests at the same time."""

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
from tests.proxy.limited import EXPOSURE, HONEST, HOSTILE, of
from tests.proxy.traffic import wait_until_requested

MIB = 1 << 20
QUEUE, CONNECTIONS = 40, 20
READS = 100


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture
def small(pod: Pod, publisher: Publisher, request: pytest.FixtureRequest) -> Iterator[Pod]:
    """A serving pod with one smaller limit, before an ECR that knows the repository."""
    publisher.blob("team/app", b"anything")
    words, smaller = request.param
    template = pod.template(TEMPLATE_KEY)
    assert template.count(words) == 1
    pod.configure(template.replace(words, smaller))
    pod.start()
    yield pod
    pod.kill()


SHORT_QUEUE = pytest.mark.parametrize(
    "small", [("zone=parts burst=600 delay=200", f"zone=parts burst={QUEUE} delay=10")], indirect=True
)
FEW_AT_ONCE = pytest.mark.parametrize(
    "small", [("limit_conn clients 500", f"limit_conn clients {CONNECTIONS}")], indirect=True
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
