"""No incomplete or mixed blob is cached, whatever happens while it is fetched."""

import os
import secrets
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.cache_times import ERRORS_LAST_SECONDS
from tests.proxy.client import Client

MIB = 1 << 20
SLOW = Behaviour(s3_bytes_per_second=MIB)


@pytest.fixture
def content() -> bytes:
    return secrets.token_bytes(3 * MIB + 7)


@pytest.fixture
def blob(publisher: Publisher, content: bytes) -> str:
    return f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"


@pytest.mark.rule("R25", "F13")
@pytest.mark.parametrize("after_bytes", [0, 1, 500_000, MIB - 1])
def test_a_slice_that_is_cut_off_is_not_cached(
    started: Pod, client: Client, control: Control, blob: str, content: bytes, after_bytes: int
) -> None:
    assert started
    with control.behaving(Behaviour(s3_cut_after_bytes=after_bytes)):
        answer = client.get(blob)
    assert answer.status == 503 or not answer.complete
    assert answer.status == 503 or content.startswith(answer.body)
    time.sleep(ERRORS_LAST_SECONDS)
    assert client.get(blob).body == content


@pytest.mark.rule("R25")
def test_the_next_client_gets_the_whole_blob_when_the_first_one_disconnects(
    started: Pod, client: Client, control: Control, blob: str, content: bytes
) -> None:
    assert started
    mark = control.mark()
    with control.behaving(SLOW):
        with closing(client.open("GET", blob)) as first:
            first.getresponse().read(1000)
        assert client.get(blob).body == content
    assert control.requests(mark).sent_bytes("s3.layer") == len(content)


@pytest.mark.rule("R25")
def test_a_killed_worker_leaves_no_incomplete_slice_in_the_cache(
    started: Pod, client: Client, control: Control, blob: str, content: bytes
) -> None:
    """A client that waited for the worker's slice fetches it itself, after `proxy_cache_lock_age`."""
    with control.behaving(SLOW), closing(client.open("GET", blob)) as first:
        first.getresponse().read(1000)
        for pid in started.workers:
            os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    assert client.get(blob).body == content
    assert time.monotonic() - began < 60


@pytest.mark.rule("R25")
def test_a_killed_container_leaves_no_unfinished_file(
    started: Pod, client: Client, control: Control, blob: str, content: bytes
) -> None:
    with control.behaving(SLOW), closing(client.open("GET", blob)) as first:
        first.getresponse().read(1000)
        assert unfinished(started) != []
        started.kill()
    started.restart()
    assert unfinished(started) == []
    assert client.get(blob).body == content


def unfinished(pod: Pod) -> list[Path]:
    """Files that nginx has not renamed to their final names yet."""
    return [file for file in (pod.folder / "cache").rglob("*.*") if file.is_file()]


@pytest.mark.rule("R25")
def test_the_cache_outlives_a_restart_of_the_container(
    started: Pod, client: Client, control: Control, blob: str, content: bytes
) -> None:
    client.get(blob)
    started.kill()
    started.restart()
    mark = control.mark()
    assert client.get(blob).body == content
    assert control.requests(mark).entries == ()
