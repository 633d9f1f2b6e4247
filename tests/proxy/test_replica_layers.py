"""While S3 of a region fails, slices come from the layer bucket of the replica's region."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from http.client import HTTPConnection

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import Answer, Client
from tests.proxy.processes import stopped
from tests.proxy.replicated import BLOBS, Regions, replica_of

S3_SECONDS, PAUSE_SECONDS = 2, 1
CLIENTS = 40
MIB = 1 << 20

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    return f"ecr_seconds = 2\ns3_seconds = {S3_SECONDS}\npause_seconds = {PAUSE_SECONDS}"


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world)


FAULTS = {
    "403": {"s3_status": 403},
    "404": {"s3_status": 404},
    "500": {"s3_status": 500},
    "503": {"s3_status": 503},
    "silent": {"s3_delay_seconds": 20},
    "refused": {"s3_outage": "refused"},
    "reset": {"s3_outage": "reset"},
    "ecr-too": {"s3_outage": "refused", "registry_status": 500},
}


@pytest.mark.rule("R146", "F142")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_blob_comes_from_the_other_bucket_while_s3_fails(
    client: Client, control: Control, regions: Regions, fault: dict[str, object]
) -> None:
    """Its twelve slices do not wait for the time-out one after the other."""
    image = regions.push(size_bytes=12_000_000)
    mark = control.mark()
    with regions.failing(**fault):
        began = time.monotonic()
        answer = client.get(f"{BLOBS}/{image.layers[0]}")
        assert time.monotonic() - began < 2 * S3_SECONDS
    assert (answer.status, digest_of(answer.body)) == (200, image.layers[0])
    assert regions.asked(mark, "s3.layer")[1] >= 12


@pytest.mark.rule("R146", "F142")
@pytest.mark.parametrize("fault", [{"s3_outage": "refused"}, {"s3_delay_seconds": 20}], ids=["refused", "silent"])
def test_a_half_streamed_blob_goes_on_from_the_other_bucket(
    client: Client, control: Control, regions: Regions, fault: dict[str, object]
) -> None:
    image = regions.push(size_bytes=90 * MIB)
    mark = control.mark()
    with closing(client.open("GET", f"{BLOBS}/{image.layers[0]}")) as connection:
        received = connection.getresponse()
        first = received.read(MIB)
        with regions.failing(**fault):
            rest = received.read()
    assert digest_of(first + rest) == image.layers[0]
    assert min(regions.asked(mark, "s3.layer")) > 0, "both buckets have sent slices"


@pytest.mark.rule("R147", "F143")
@pytest.mark.parametrize("size_bytes", [12_000_000, 210_000_000])
def test_a_connection_that_s3_cuts_reaches_no_client_after_its_first_slice(
    client: Client, control: Control, regions: Regions, size_bytes: int
) -> None:
    image = regions.push(size_bytes=size_bytes)
    with closing(client.open("GET", f"{BLOBS}/{image.layers[0]}")) as connection:
        received = connection.getresponse()
        first = received.read(MIB)
        with regions.failing(s3_cut_after_bytes=300_000):
            rest = received.read()
    assert digest_of(first + rest) == image.layers[0]
    assert regions.asked(control.mark()) == (0, 0)


@pytest.mark.rule("R147")
def test_a_worker_that_ends_fails_no_request_of_a_busy_one(client: Client, regions: Regions, pod: Pod) -> None:
    """It closes idle connections between nginx's own servers, while the other one sends requests on them."""
    for number in range(4):
        busy, ending = sorted(pod.workers, reverse=bool(number % 2))
        answers = answers_of_busy_worker(client, regions, busy, ending)
        assert 0 < len(answers) <= CLIENTS, "those whose client was connected to it"
        assert {answer.status for answer in answers} == {200}
        wait_until(partial(has_replaced, pod, ending), "another worker has started")


def answers_of_busy_worker(client: Client, regions: Regions, busy: int, ending: int) -> list[Answer]:
    """Those that a worker gives after a second in which it did not run, and the other one got the signal to end."""
    paths = iter([f"{BLOBS}/{regions.push(size_bytes=10).layers[0]}" for _ in range(2 * CLIENTS)])
    with ExitStack() as stack:
        with regions.failing(s3_delay_seconds=1):
            kept = [stack.enter_context(closing(client.open("GET", next(paths)))) for _ in range(CLIENTS)]
            assert {client.read(connection).status for connection in kept} == {200}
        with stopped(busy):
            for connection in kept:
                connection.request("GET", next(paths))
            os.kill(ending, signal.SIGQUIT)
            time.sleep(1)
        return [answer for connection in kept if (answer := read_unless_closed(client, connection))]


def has_replaced(pod: Pod, worker: int) -> bool:
    """Whether nginx has replaced one of its two workers."""
    return worker not in pod.workers and len(pod.workers) == 2


def read_unless_closed(client: Client, connection: HTTPConnection) -> Answer | None:
    """The answer; none on an idle connection that nginx had closed before the request came."""
    with suppress(ConnectionError):
        return client.read(connection)
    return None


@pytest.mark.rule("R146")
def test_the_bucket_is_used_again_once_it_answers_a_probe(client: Client, control: Control, regions: Regions) -> None:
    images = [regions.push(size_bytes=10) for _ in range(40)]
    with regions.failing(s3_status=503):
        assert client.get(f"{BLOBS}/{images.pop().layers[0]}").status == 200

    def reads_its_own_bucket() -> bool:
        mark = control.mark()
        assert client.get(f"{BLOBS}/{images.pop().layers[0]}").status == 200
        return regions.asked(mark, "s3.layer") == (1, 0)

    wait_until(reads_its_own_bucket, "the bucket is used again", seconds=10, pause_seconds=0.3)


@pytest.mark.rule("R142", "R146")
def test_what_the_replica_denies_while_s3_fails_is_not_denied_by_the_registry(
    client: Client, control: Control, regions: Regions
) -> None:
    image = regions.push()
    path = f"{BLOBS}/{image.layers[0]}"
    assert client.get(path, {"Range": "bytes=0-9"}).status == 206, "ECR's redirect is cached"
    mark = control.mark()
    with control.behaving(Behaviour(s3_status=503, denied_actions=frozenset({"ecr:GetDownloadUrlForLayer"}))):
        answer = client.get(path, {"Range": f"bytes={MIB}-{MIB + 9}"})
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert int(answer.header("Retry-After") or 0) > 0
    assert regions.asked(mark, "registry.blobs") == (0, 1)


@pytest.mark.rule("R146")
def test_no_client_waits_for_a_probe_of_s3(client: Client, control: Control, regions: Regions) -> None:
    images = [regions.push(size_bytes=10) for _ in range(12)]
    with regions.failing(s3_delay_seconds=20):
        assert client.get(f"{BLOBS}/{images[0].layers[0]}").status == 200
        mark = control.mark()
        for image in images[1:]:
            began = time.monotonic()
            assert client.get(f"{BLOBS}/{image.layers[0]}").status == 200
            assert time.monotonic() - began < 1
            time.sleep(0.3)
        assert 1 <= regions.asked(mark, "s3.layer")[0] <= 5


@pytest.mark.rule("R146")
def test_after_a_probe_that_s3_refuses_the_next_request_is_one(
    client: Client, control: Control, regions: Regions
) -> None:
    """A bucket that refuses one blob may send others. ECR redirects anew after a refusal: two requests a probe."""
    images = [regions.push(size_bytes=10) for _ in range(24)]
    with regions.failing(s3_status=503):
        assert client.get(f"{BLOBS}/{images.pop().layers[0]}").status == 200
    time.sleep(PAUSE_SECONDS)
    mark = control.mark()
    with regions.failing(s3_status=403):
        began = time.monotonic()
        while regions.asked(mark, "s3.layer")[0] < 5:
            assert time.monotonic() - began < 2 * PAUSE_SECONDS
            assert client.get(f"{BLOBS}/{images.pop().layers[0]}").status == 200
            time.sleep(0.1)


@pytest.mark.rule("R147")
def test_clients_of_one_cold_blob_cost_one_download(client: Client, control: Control, regions: Regions) -> None:
    image = regions.push(size_bytes=12_000_000)
    path = f"{BLOBS}/{image.layers[0]}"
    mark = control.mark()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.get(path), range(10)))
    assert {digest_of(answer.body) for answer in answers} == {image.layers[0]}
    assert control.requests(mark).sent_bytes("s3.layer") == 12_000_000
    assert regions.asked(mark) == (1, 0)


@pytest.mark.rule("R146")
def test_a_large_blob_comes_from_its_own_bucket_while_nothing_fails(
    client: Client, control: Control, regions: Regions
) -> None:
    """For its size alone `front` asks twice for the first slice, and leaves the first answer: S3 has not cut it off."""
    regions.push(size_bytes=10)
    digest = control.generated_layer(210_000_000, seed=3)
    mark = control.mark()
    assert digest_of(client.get(f"{BLOBS}/{digest}").body) == digest
    assert regions.asked(mark, "s3.layer")[1] == 0
