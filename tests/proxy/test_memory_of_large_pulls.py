"""Pulls of large blobs wait for memory, so that what nginx holds for them stays below its memory limit."""

import hashlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from select import select

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.settings import Settings
from testbed.bench.usage import tree
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import samples, value, with_metrics
from testbed.waiting import wait_until
from tests.proxy.client import Client
from tests.proxy.limited import EXPOSURE, HOSTILE, OTHER, of

MIB = 1 << 20
AT_ONCE = 2
WAIT_SECONDS = 8
SIZE_BYTES = 100 * MIB
"""Nine digits, as many as make nginx note a blob's memory here: 1 MiB."""
LARGER_BYTES = 800 * MIB
"""Needs 2 MiB."""
PIECE_BYTES = 64 * MIB
PLACES = 50
"""Of one client, for pulls that wait."""
SLOW_SECONDS = 2
SMALLER = {
    "~/[0-9]{10,}$": "~/[0-9]{9,}$",
    "set memory_wait_seconds = 50": f"set memory_wait_seconds = {WAIT_SECONDS}",
    "$memory_for_large_pulls_mib {{ memory_for_large_pulls_mib }}": f"$memory_for_large_pulls_mib {AT_ONCE}",
}


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(settings)


@pytest.fixture
def slow_piece_seconds() -> int:
    """The default; a test with slow clients overrides it."""
    return 600


@pytest.fixture
def queueing(pod: Pod, slow_piece_seconds: int) -> Iterator[Pod]:
    """A pod that has memory for two pulls at once."""
    template = pod.template(TEMPLATE_KEY)
    piece = {"$slow_piece_seconds 600": f"$slow_piece_seconds {slow_piece_seconds}"}
    for old, new in (SMALLER | piece).items():
        assert template.count(old) == 1, old
        template = template.replace(old, new)
    pod.configure(template)
    # It is stopped while it reads ahead.
    pod.tolerated += ("connect() to unix:/run/frontdoor/", "a pull waits: ")
    pod.start()
    yield pod
    pod.stop()


@pytest.fixture
def digest(control: Control, publisher: Publisher) -> str:
    publisher.blob("team/app", b"so that the repository exists")
    return control.generated_layer(SIZE_BYTES, seed=secrets.randbelow(2**31))


@pytest.fixture
def path(digest: str) -> str:
    return f"/v2/team/app/blobs/{digest}"


@pytest.fixture
def running(queueing: Pod, client: Client, path: str) -> Iterator[list[HTTPConnection]]:
    """As many pulls as there is memory for; their clients do not read on."""
    assert queueing
    with ExitStack() as stack:
        pulls = [stack.enter_context(closing(client.open("GET", path))) for _ in range(AT_ONCE)]
        assert all(has_begun(pull) for pull in pulls)
        yield pulls


def has_begun(pull: HTTPConnection, within_seconds: float = 6) -> bool:
    """Whether the client has received a byte."""
    return bool(select([pull.sock], [], [], within_seconds)[0])


@pytest.mark.rule("R48")
def test_a_pull_waits_without_a_byte_and_is_whole_once_another_has_ended(
    client: Client, running: list[HTTPConnection], path: str, digest: str
) -> None:
    with closing(client.open("GET", path)) as waiting:
        assert not has_begun(waiting, within_seconds=3)
        running[0].close()
        answer = client.read(waiting)
    assert answer.status == 200
    assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == digest


@pytest.mark.rule("R48")
def test_a_waiting_client_that_leaves_holds_nothing(
    queueing: Pod, client: Client, running: list[HTTPConnection], path: str
) -> None:
    for _ in range(2 * AT_ONCE):
        with closing(client.open("GET", path)) as waiting:
            assert not has_begun(waiting, within_seconds=0.2)
    wait_until(
        lambda: len(queueing.access_log("front", path)) == 2 * AT_ONCE, "nginx notices that they left", seconds=3
    )
    assert {line["status"] for line in queueing.access_log("front", path)} == {499}
    for pull in running:
        pull.close()
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            assert has_begun(stack.enter_context(closing(client.open("GET", path))))


@pytest.mark.rule("R48")
@pytest.mark.usefixtures("running")
def test_what_killed_workers_held_is_free(queueing: Pod, client: Client, path: str) -> None:
    for pid in tree([queueing.pid])[1:]:
        os.kill(pid, signal.SIGKILL)
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            pull = stack.enter_context(closing(client.open("GET", path)))
            assert pull.getresponse().status == 200


@pytest.mark.rule("R48")
@pytest.mark.usefixtures("running")
def test_a_pull_without_memory_in_time_is_503_with_retry_after(client: Client, path: str) -> None:
    names = [f'frontdoor_error_answers_total{{status="{status}"}}' for status in ("no_memory", "503")]
    before = samples()
    answer = client.get(path)
    assert (answer.status, answer.header("Retry-After"), answer.error_code()) == (503, "60", "UNAVAILABLE")
    assert (answer.header("Warning") or "").startswith("299 ")
    # One client's own pulls are enough, so it is none of the failures of the alert FrontdoorClientsFail.
    wait_until(lambda: value(names[0]) > before[names[0]], "the answer is counted")
    assert [value(name) - before[name] for name in names] == [1, 0]


@pytest.mark.rule("R48")
@pytest.mark.usefixtures("running")
def test_parts_heads_and_smaller_blobs_do_not_wait(client: Client, control: Control, path: str) -> None:
    assert client.head(path).header("Content-Length") == str(SIZE_BYTES)
    assert len(client.get(path, {"Range": f"bytes={5 * MIB}-{8 * MIB - 1}"}).body) == 3 * MIB
    assert len(client.get(path, {"Range": "bytes=5-9"}).body) == 5
    assert client.get(path, {"Range": f"bytes={SIZE_BYTES - 5}-{SIZE_BYTES - 1}"}).status == 206
    smaller = control.generated_layer(50 * MIB, seed=secrets.randbelow(2**31))
    assert len(client.get(f"/v2/team/app/blobs/{smaller}").body) == 50 * MIB


@pytest.mark.rule("R48")
def test_pulls_begin_in_the_order_in_which_they_came_also_a_larger_one(
    queueing: Pod, client: Client, control: Control, running: list[HTTPConnection], path: str
) -> None:
    larger = f"/v2/team/app/blobs/{control.generated_layer(LARGER_BYTES)}"
    running[0].close()
    with closing(client.open("GET", larger)) as first:
        wait_until(lambda: "a pull waits: " in queueing.error_log(), "the larger one waits")
        with closing(client.open("GET", path)) as second:
            assert not has_begun(second, within_seconds=2), "it would fit"
            running[1].close()
            assert has_begun(first)
            assert not has_begun(second, within_seconds=1)


@pytest.mark.rule("R83")
@pytest.mark.usefixtures("queueing")
def test_one_client_has_half_of_the_memory_and_holds_up_no_other(client: Client, path: str) -> None:
    with closing(client.open("GET", path, of(HOSTILE))) as first:
        assert has_begun(first)
        with closing(client.open("GET", path, of(HOSTILE))) as second:
            assert not has_begun(second, within_seconds=1)
            with closing(client.open("GET", path, of(OTHER))) as other:
                assert has_begun(other)
                assert not has_begun(second, within_seconds=1)
                first.close()
                assert has_begun(second)


@pytest.mark.rule("R83")
@pytest.mark.usefixtures("running")
def test_one_client_has_half_of_the_places_for_pulls_that_wait(queueing: Pod, client: Client, path: str) -> None:
    with ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(closing(client.open("GET", path, of(HOSTILE))))
        wait_until(lambda: queueing.error_log().count("a pull waits: ") == PLACES, "the pulls wait", seconds=4)
        refused = stack.enter_context(closing(client.open("GET", path, of(HOSTILE))))
        assert has_begun(refused, within_seconds=1)
        assert client.read(refused).status == 503
        assert not has_begun(stack.enter_context(closing(client.open("GET", path, of(OTHER)))), within_seconds=1)


@pytest.mark.rule("R84")
@pytest.mark.parametrize("slow_piece_seconds", [SLOW_SECONDS])
def test_a_slow_pull_ends_after_its_piece_and_is_continued(
    client: Client, running: list[HTTPConnection], path: str, digest: str
) -> None:
    time.sleep(SLOW_SECONDS + 1)
    begin = client.read(running[0])
    assert (begin.status, begin.complete, len(begin.body)) == (200, False, PIECE_BYTES)
    rest = client.get(path, {"Range": f"bytes={PIECE_BYTES}-"})
    assert rest.status == 206
    assert f"sha256:{hashlib.sha256(begin.body + rest.body).hexdigest()}" == digest


@pytest.mark.rule("R84")
@pytest.mark.parametrize("slow_piece_seconds", [SLOW_SECONDS])
def test_a_slow_pull_is_whole_while_there_is_memory_for_others(client: Client, running: list[HTTPConnection]) -> None:
    running[1].close()
    time.sleep(SLOW_SECONDS + 1)
    answer = client.read(running[0])
    assert (answer.complete, len(answer.body)) == (True, SIZE_BYTES)
