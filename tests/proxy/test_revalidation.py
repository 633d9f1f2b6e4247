"""Cached images are pulled from ECR again, as a day passes in a second or two."""

import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest

from lambda_fn.contract.paths import HTTP_PORT
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS
from tests.proxy.client import ACCEPT, ADDRESS, Answer, Client

REVALIDATE_SECONDS = 1
DAY_SECONDS = 2.1
"""After this the interval has passed; nginx counts whole seconds."""
DELETED_SECONDS = 5

REPOSITORY = "team/life"

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    times = {"revalidate_seconds": REVALIDATE_SECONDS, "deleted_seconds": DELETED_SECONDS}
    cache = settings.proxy.cache.model_copy(update=times)
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"cache": cache})})


@pytest.fixture
def push(publisher: Publisher) -> Callable[[str], Image]:
    """Pushes an image under a tag, with a layer of its own."""
    return lambda tag: publisher.image(REPOSITORY, tag, [str(time.monotonic_ns()).encode()])


def pull(client: Client, image: Image) -> Answer:
    return client.get(f"/v2/{REPOSITORY}/manifests/{image.digest}", ACCEPT)


def pulls(requests: Requests, image: Image) -> int:
    """How often ECR was asked for an image in a way that it counts as a pull."""
    return sum(
        entry.method == "GET" and entry.path.endswith(image.digest) for entry in requests.of("registry.manifests")
    )


def a_day_passes(control: Control) -> None:
    time.sleep(DAY_SECONDS)
    control.advance(1)


@pytest.mark.rule("R61")
def test_ecr_sees_one_pull_a_day_of_what_is_pulled_and_expires_the_rest(
    client: Client, control: Control, world: World, push: Callable[[str], Image]
) -> None:
    """As in 60 days of a rule of 30, in a tenth of them."""
    by_digest, by_head, unused = (push(tag) for tag in ("digest", "head", "unused"))
    for image in (by_digest, by_head, unused):
        assert pull(client, image).status == 200
    expired: list[str] = []
    for _ in range(6):
        mark = control.mark()
        for _ in range(3):
            assert pull(client, by_digest).body == by_digest.manifest
            assert client.head(f"/v2/{REPOSITORY}/manifests/head", ACCEPT).status == 200
        a_day_passes(control)
        seen = control.requests(mark)
        assert (pulls(seen, by_digest) <= 1, pulls(seen, by_head) <= 1, pulls(seen, unused)) == (True, True, 0)
        expired += control.expire_unused(world.ecr_host, REPOSITORY, 3)
    assert expired == [unused.digest]


@pytest.mark.rule("R61")
def test_no_client_waits_for_ecr(client: Client, control: Control, push: Callable[[str], Image]) -> None:
    image = push("waits")
    assert pull(client, image).status == 200
    time.sleep(DAY_SECONDS)
    mark = control.mark()
    with control.behaving(Behaviour(registry_delay_seconds=3)):
        started = time.monotonic()
        with closing(HTTPConnection(ADDRESS, HTTP_PORT)) as kept:
            for _ in range(20):
                kept.request("GET", f"/v2/{REPOSITORY}/manifests/{image.digest}", headers=ACCEPT)
                assert kept.getresponse().read() == image.manifest
        assert time.monotonic() - started < 2
        wait_until(lambda: pulls(control.requests(mark), image), "ECR is asked")
    assert pulls(control.requests(mark), image) == 1
    time.sleep(3)


@pytest.mark.rule("R61")
def test_an_image_is_asked_for_in_each_repository_that_clients_name(
    client: Client, control: Control, publisher: Publisher, push: Callable[[str], Image]
) -> None:
    image = push("both")
    publisher.image("team/other-life", "another", [b"other"])
    assert pull(client, image).status == 200
    mark = control.mark()
    assert client.get(f"/v2/team/other-life/manifests/{image.digest}", ACCEPT).status == 200
    wait_until(lambda: pulls(control.requests(mark), image), "ECR is asked about the other repository")
    (entry,) = [entry for entry in control.requests(mark).of("registry.manifests") if entry.method == "GET"]
    assert entry.path == f"/v2/team/other-life/manifests/{image.digest}"


@pytest.mark.rule("R62")
@pytest.mark.parametrize(
    "failure",
    [
        Behaviour(registry_status=429),
        Behaviour(registry_status=500),
        Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"})),
        Behaviour(registry_outage="refused"),
    ],
    ids=["429", "500", "403", "refused"],
)
def test_a_failure_of_ecr_removes_nothing(
    client: Client, control: Control, push: Callable[[str], Image], failure: Behaviour
) -> None:
    image = push("stays")
    assert pull(client, image).status == 200
    with control.behaving(failure):
        for _ in range(3):
            time.sleep(DAY_SECONDS)
            answer = pull(client, image)
            assert (answer.status, answer.body, answer.header("Warning")) == (200, image.manifest, None)
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R63")
def test_a_deleted_image_is_served_with_a_warning_for_a_time_and_then_refused(
    client: Client, control: Control, world: World, serving: Pod, push: Callable[[str], Image]
) -> None:
    image = push("deleted")
    assert pull(client, image).status == 200
    control.delete_image(world.ecr_host, REPOSITORY, image.digest)
    time.sleep(DAY_SECONDS)
    wait_until(lambda: pull(client, image).header("Warning"), "the deletion is noticed")
    answer = pull(client, image)
    assert (answer.status, answer.body) == (200, image.manifest)
    assert f"image_missing /{world.ecr_host}/v2/{REPOSITORY}/manifests/{image.digest}" in serving.error_log()
    time.sleep(DELETED_SECONDS)
    wait_until(lambda: pull(client, image).status == 404, "the deleted image is refused")
    assert b"MANIFEST_UNKNOWN" in pull(client, image).body
    control.restore_image(world.ecr_host, REPOSITORY, image.digest)
    wait_until(lambda: pull(client, image).status == 200, "the image is back")
    assert pull(client, image).header("Warning") is None
