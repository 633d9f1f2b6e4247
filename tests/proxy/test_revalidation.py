"""Cached images are pulled from ECR again, where a day takes two seconds."""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
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

pytestmark = pytest.mark.usefixtures("proxy")


@dataclass(frozen=True)
class Repository:
    """A repository of one test alone, and a client of the proxy."""

    name: str
    publisher: Publisher
    client: Client

    def push(self, tag: str) -> Image:
        """Push an image with a layer of its own."""
        return self.publisher.image(self.name, tag, [secrets.token_bytes(10)])

    def path(self, image: Image) -> str:
        """Where its manifest is."""
        return f"/v2/{self.name}/manifests/{image.digest}"

    def pull(self, image: Image) -> Answer:
        """GET of the manifest by digest."""
        return self.client.get(self.path(image), ACCEPT)

    def head(self, tag: str) -> Answer:
        """HEAD of a manifest by tag."""
        return self.client.head(f"/v2/{self.name}/manifests/{tag}", ACCEPT)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    times = {"revalidate_seconds": REVALIDATE_SECONDS, "deleted_seconds": DELETED_SECONDS}
    cache = settings.proxy.cache.model_copy(update=times)
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"cache": cache})})


@pytest.fixture
def repository(repositories: Callable[[], Repository]) -> Repository:
    return repositories()


@pytest.fixture
def repositories(publisher: Publisher, client: Client) -> Callable[[], Repository]:
    return lambda: Repository(f"team/{secrets.token_hex(4)}", publisher, client)


def pulls(requests: Requests, path: str) -> int:
    """How often ECR was asked for a manifest in a way that it counts as a pull."""
    return sum(entry.method == "GET" and entry.path == path for entry in requests.of("registry.manifests"))


@pytest.mark.rule("R61")
@pytest.mark.parametrize(("days", "rule_days"), [(7, 3), pytest.param(60, 30, marks=pytest.mark.long)])
def test_ecr_sees_one_pull_a_day_of_what_is_requested_and_expires_the_rest(
    control: Control, world: World, repository: Repository, days: int, rule_days: int
) -> None:
    """One image is pulled by digest, the tag of another gets only HEADs, and a third has no requests."""
    by_digest, by_head, unused = (repository.push(tag) for tag in ("digest", "head", "unused"))
    for image in (by_digest, by_head, unused):
        assert repository.pull(image).status == 200
    expired: list[str] = []
    for _ in range(days):
        mark = control.mark()
        for _ in range(3):
            assert repository.pull(by_digest).body == by_digest.manifest
            assert repository.head("head").status == 200
        time.sleep(DAY_SECONDS)
        control.advance(1)
        seen = control.requests(mark)
        counted = [pulls(seen, repository.path(image)) for image in (by_digest, by_head, unused)]
        assert max(counted) <= 1
        assert counted[2] == 0
        expired += control.expire_unused(world.ecr_host, repository.name, rule_days)
    assert expired == [unused.digest]


@pytest.mark.rule("R61")
def test_no_client_waits_for_ecr(control: Control, serving: Pod, repository: Repository) -> None:
    """Nor does the next request on a client's connection."""
    image = repository.push("waits")
    path = repository.path(image)
    assert repository.pull(image).status == 200
    time.sleep(DAY_SECONDS)
    mark = control.mark()
    with control.behaving(Behaviour(registry_delay_seconds=4)):
        started = time.monotonic()
        with closing(HTTPConnection(ADDRESS, HTTP_PORT)) as kept:
            for _ in range(20):
                kept.request("GET", path, headers=ACCEPT)
                assert kept.getresponse().read() == image.manifest
        assert time.monotonic() - started < 3
        wait_until(lambda: pulls(control.requests(mark), path), "ECR is asked")
        wait_until(lambda: len(serving.access_log("ecr", path)) == 2, "ECR has answered")
    assert [line["status"] for line in serving.access_log("ecr", path)] == [200, 200]
    assert pulls(control.requests(mark), path) == 1


@pytest.mark.rule("R61")
def test_an_image_is_asked_for_in_each_repository_that_clients_name(
    control: Control, repositories: Callable[[], Repository]
) -> None:
    one, other = repositories(), repositories()
    image = one.push("both")
    # The second one is answered from the cache.
    assert [one.pull(image).status for _ in range(2)] == [200, 200]
    mark = control.mark()
    assert other.pull(image).body == image.manifest
    wait_until(lambda: pulls(control.requests(mark), other.path(image)), "ECR is asked about the other repository")


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
def test_a_failure_of_ecr_removes_nothing(control: Control, repository: Repository, failure: Behaviour) -> None:
    image = repository.push("stays")
    assert repository.pull(image).status == 200
    with control.behaving(failure):
        for _ in range(3):
            time.sleep(DAY_SECONDS)
            answer = repository.pull(image)
            assert (answer.status, answer.body, answer.header("Warning")) == (200, image.manifest, None)
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R62")
@pytest.mark.parametrize(
    "failure",
    [
        Behaviour(registry_status=429),
        Behaviour(registry_status=503),
        Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"})),
    ],
    ids=["429", "503", "403"],
)
def test_a_repository_that_lacks_an_image_takes_it_from_no_other_while_ecr_fails(
    control: Control, repositories: Callable[[], Repository], failure: Behaviour
) -> None:
    one, other = repositories(), repositories()
    image = one.push("kept")
    assert one.pull(image).status == 200
    wait_until(lambda: other.pull(image).status == 404, "the other repository refuses what it lacks")
    time.sleep(DAY_SECONDS)
    with control.behaving(failure):
        time.sleep(ERRORS_LAST_SECONDS)
        assert other.pull(image).status in {429, 503}
        time.sleep(ERRORS_LAST_SECONDS)
        assert one.pull(image).status == 200
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R63")
def test_a_deleted_image_is_served_with_a_warning_for_a_time_and_then_refused(
    control: Control, world: World, serving: Pod, repository: Repository
) -> None:
    image = repository.push("deleted")
    assert repository.pull(image).status == 200
    control.delete_image(world.ecr_host, repository.name, image.digest)
    time.sleep(DAY_SECONDS)
    wait_until(lambda: repository.pull(image).header("Warning"), "the deletion is noticed")
    answer = repository.pull(image)
    assert (answer.status, answer.body) == (200, image.manifest)
    assert f"image_missing /{world.ecr_host}{repository.path(image)}" in serving.error_log()
    time.sleep(DELETED_SECONDS)
    wait_until(lambda: repository.pull(image).status == 404, "the deleted image is refused")
    assert b"MANIFEST_UNKNOWN" in repository.pull(image).body
    control.restore_image(world.ecr_host, repository.name, image.digest)
    wait_until(lambda: repository.pull(image).status == 200, "the image is back")
    assert repository.pull(image).header("Warning") is None
