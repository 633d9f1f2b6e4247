"""The queue of images that wait for their next pull from ECR is bounded: a client can make up any number of names."""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.memory import anonymous_kib
from tests.proxy.revalidated import Repository, pulls, with_short_days

MADE_UP, PLACES = 2000, 500
"""Images that ECR never sent to the pod have half of the thousand places."""
LONGEST_NAME = 200
CLIENTS = 8
GROWTH_KIB = 4000


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_short_days(settings, deleted_seconds=5)


@pytest.fixture(scope="module")
def timeouts() -> str:
    """ECR may hold an answer for longer than the flood takes."""
    return "ecr_seconds = 120"


@pytest.fixture
def quick(pod: Pod) -> Pod:
    """A serving pod that looks at its queue every 20 ms instead of 200: the test waits for hundreds of pulls."""
    text = pod.configuration()
    quick = text.replace("ask_for_images interval=200ms", "ask_for_images interval=20ms")
    assert quick != text
    (pod.folder / "config" / "nginx.conf").write_text(quick, encoding="utf-8")
    pod.start()
    return pod


def made_up_names(digest: str) -> list[str]:
    """A cached manifest in repositories that do not exist."""
    return [f"/v2/team/{secrets.token_hex(LONGEST_NAME // 2)}/manifests/{digest}" for _ in range(MADE_UP)]


def statuses(client: Client, paths: Sequence[str]) -> set[int]:
    """Of concurrent requests."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return {answer.status for answer in pool.map(lambda path: client.get(path, ACCEPT), paths)}


def asked(requests: Requests, paths: Sequence[str]) -> int:
    """For how many of the paths ECR was asked."""
    return len({entry.path for entry in requests.of("registry.manifests")} & {*paths})


@pytest.mark.rule("R61")
def test_made_up_names_leave_places_for_images_and_take_no_memory(
    quick: Pod, client: Client, control: Control, repositories: Callable[[], Repository]
) -> None:
    """ECR answers no request for a manifest until the queue is full."""
    repository = repositories()
    image = repository.due("real")
    warm, flood = made_up_names(image.digest)[:100], made_up_names(image.digest)
    mark = control.mark()
    with control.behaving(Behaviour(registry_held_actions=frozenset({"ecr:BatchGetImage"}))):
        assert statuses(client, warm) == {200}
        before_kib = anonymous_kib(quick)
        assert statuses(client, flood) == {200}
        grown_kib = anonymous_kib(quick) - before_kib
        assert repository.pull(image).body == image.manifest
    wait_until(lambda: pulls(control.requests(mark), repository.path(image)), "ECR is asked for the image")
    # One pull had begun.
    assert PLACES <= asked(control.requests(mark), [*warm, *flood]) <= PLACES + 1
    assert grown_kib < GROWTH_KIB
