"""Pulls of large blobs wait for memory, so that what nginx holds for them stays below its memory limit."""

import hashlib
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from select import select

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.bench.usage import tree
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import Client

MIB = 1 << 20
AT_ONCE = 2
WAIT_SECONDS = 8
SIZE_BYTES = 100 * MIB
"""Nine digits, as many as make nginx note a blob's memory here: 1 MiB."""
SMALLER = {
    "~/[0-9]{10,}$": "~/[0-9]{9,}$",
    "set memory_wait_seconds = 50": f"set memory_wait_seconds = {WAIT_SECONDS}",
    "$memory_for_large_pulls_mib {{ memory_for_large_pulls_mib }}": f"$memory_for_large_pulls_mib {AT_ONCE}",
}


@pytest.fixture
def queueing(pod: Pod) -> Iterator[Pod]:
    """A pod that has memory for two pulls at once."""
    template = pod.template(TEMPLATE_KEY)
    for old, new in SMALLER.items():
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
    answer = client.get(path)
    assert (answer.status, answer.header("Retry-After"), answer.error_code()) == (503, "60", "UNAVAILABLE")
    assert (answer.header("Warning") or "").startswith("299 ")


@pytest.mark.rule("R48")
@pytest.mark.usefixtures("running")
def test_parts_heads_and_smaller_blobs_do_not_wait(client: Client, control: Control, path: str) -> None:
    assert client.head(path).header("Content-Length") == str(SIZE_BYTES)
    assert len(client.get(path, {"Range": f"bytes={5 * MIB}-{8 * MIB - 1}"}).body) == 3 * MIB
    assert len(client.get(path, {"Range": "bytes=5-9"}).body) == 5
    assert client.get(path, {"Range": f"bytes={SIZE_BYTES - 5}-{SIZE_BYTES - 1}"}).status == 206
    smaller = control.generated_layer(50 * MIB, seed=secrets.randbelow(2**31))
    assert len(client.get(f"/v2/team/app/blobs/{smaller}").body) == 50 * MIB
