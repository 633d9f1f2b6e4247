"""The size of the cache: nginx removes what is above its limit within seconds, not only every ten."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import eventually
from tests.proxy.client import Client

MIB = 1 << 20
LIMIT_MIB = 8
FIRST_LOOK_SECONDS = 11
"""After nginx's start its cache manager looks once, when the cache is empty, and then after ten seconds."""
WAKES_WITHIN_SECONDS = 5
PAUSE_SECONDS = 0.5
ROUNDS = 6
"""A manager that looks every ten seconds is in time by chance in 5 of 10 rounds, and in all of them in 1 of 60."""


@pytest.fixture
def small(pod: Pod) -> Iterator[Pod]:
    """A pod whose cache may hold 8 MiB."""
    template = pod.template(TEMPLATE_KEY)
    wanted = template.replace("max_size={{ cache.size_gib }}g", f"max_size={LIMIT_MIB}m")
    assert wanted != template
    pod.configure(wanted)
    # Nearly all of so small a cache is in use, and nginx passes over what is.
    pod.tolerated += ("ignore long locked inactive cache entry",)
    pod.start()
    time.sleep(FIRST_LOOK_SECONDS)
    yield pod
    pod.stop()


def size_mib(folder: Path) -> float:
    """What the files in a folder hold."""
    return sum(file.stat().st_size for file in folder.glob("*/*/*") if file.exists()) / MIB


@pytest.mark.rule("R26")
def test_what_is_above_the_limit_is_removed_within_seconds(small: Pod, client: Client, publisher: Publisher) -> None:
    folder = small.folder / "cache/blobs"
    for _ in range(ROUNDS):
        content = secrets.token_bytes((LIMIT_MIB + 8) * MIB)
        assert client.get(f"/v2/team/app/blobs/{publisher.blob('team/app', content)}").body == content
        assert eventually(lambda: size_mib(folder) <= LIMIT_MIB, WAKES_WITHIN_SECONDS)


@pytest.mark.rule("R26")
def test_a_blob_that_clients_keep_asking_for_stays_cached_while_new_blobs_fill_the_cache(
    small: Pod, client: Client, publisher: Publisher, control: Control
) -> None:
    hot = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(MIB))}"
    assert client.get(hot).status == 200
    for _ in range(16):
        last = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(LIMIT_MIB // 2 * MIB))}"
        assert client.get(last).status == 200
        mark = control.mark()
        assert client.get(hot).status == 200
        assert control.requests(mark).count("s3.layer") == 0
        time.sleep(PAUSE_SECONDS)
    assert eventually(lambda: size_mib(small.folder / "cache/blobs") <= LIMIT_MIB, WAKES_WITHIN_SECONDS)
