"""Cached images are pulled from ECR again, where a day takes two seconds."""

import secrets
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest

from lambda_fn.contract.paths import HTTP_PORT
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS
from tests.proxy.client import ACCEPT, ADDRESS, Answer
from tests.proxy.revalidated import DAY_SECONDS, Repository, pulls, with_short_days

DELETED_SECONDS = 5

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_short_days(settings, deleted_seconds=DELETED_SECONDS)


@pytest.fixture(scope="module")
def timeouts() -> str:
    return "pause_seconds = 1\necr_seconds = 5"


@pytest.mark.rule("R61")
@pytest.mark.parametrize(
    ("intervals", "hours", "rule_days"), [(7, 20, 2), pytest.param(60, 24, 30, marks=pytest.mark.long)]
)
def test_ecr_sees_one_pull_a_day_of_what_is_requested_and_expires_the_rest(
    control: Control, world: World, repository: Repository, intervals: int, hours: int, rule_days: int
) -> None:
    """One image is pulled by digest, the tag of another gets only HEADs, and a third has no requests.

    ECR records one pull in 24 hours: of pulls every 20 hours its record is up to 40 hours old.
    """
    by_digest, by_head, unused = (repository.push(tag) for tag in ("digest", "head", "unused"))
    for image in (by_digest, by_head, unused):
        assert repository.pull(image).status == 200
    expired: list[str] = []
    for _ in range(intervals):
        mark = control.mark()
        for _ in range(3):
            assert repository.pull(by_digest).body == by_digest.manifest
            assert repository.head("head").status == 200
        time.sleep(DAY_SECONDS)
        control.advance(hours / 24)
        seen = control.requests(mark)
        counted = [pulls(seen, repository.path(image)) for image in (by_digest, by_head, unused)]
        assert max(counted) <= 1
        assert counted[2] == 0
        expired += control.expire_unused(world.ecr_host, repository.name, rule_days)
    assert expired == [unused.digest]


@pytest.mark.rule("R61")
def test_no_client_waits_for_ecr(control: Control, serving: Pod, repository: Repository) -> None:
    """Nor does the next request on a client's connection."""
    image = repository.due("waits")
    path = repository.path(image)
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


@pytest.mark.rule("R61")
def test_ecr_is_asked_for_one_image_at_a_time(control: Control, repository: Repository) -> None:
    images = [repository.push(tag) for tag in ("one", "two", "three")]
    assert [repository.pull(image).status for image in images] == [200] * 3
    time.sleep(DAY_SECONDS)
    mark = control.mark()

    def asked() -> int:
        requests = control.requests(mark)
        return sum(pulls(requests, repository.path(image)) for image in images)

    with control.behaving(Behaviour(registry_held_actions=frozenset({"ecr:BatchGetImage"}))):
        assert [repository.pull(image).status for image in images] == [200] * 3
        wait_until(asked, "ECR is asked")
        time.sleep(1)
        assert asked() == 1
    wait_until(lambda: asked() == 3, "ECR is asked for all of them")


@pytest.mark.rule("R61")
def test_only_a_cached_manifest_has_a_state(serving: Pod, repository: Repository) -> None:
    repository.push("known")
    states = serving.folder / "cache" / "images"
    before = {*states.glob("*/*/*")}
    made_up = f"/v2/{repository.name}/manifests/sha256:{secrets.token_hex(32)}"
    assert repository.client.get(made_up, ACCEPT).status == 404
    assert {*states.glob("*/*/*")} <= before


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
    mark = control.mark()
    asked: list[int] = []
    with control.behaving(failure):
        for _ in range(3):
            time.sleep(DAY_SECONDS)
            for _ in range(3):
                answer = repository.pull(image)
                assert (answer.status, answer.body, answer.header("Warning")) == (200, image.manifest, None)
            # The queue is looked at five times a second.
            time.sleep(0.5)
            asked.append(pulls(control.requests(mark), repository.path(image)))
    assert asked == ([0, 0, 0] if failure.registry_outage else [1, 2, 3])
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R62")
def test_silence_of_ecr_removes_nothing(control: Control, serving: Pod, repository: Repository) -> None:
    image = repository.due("silent")
    path = repository.path(image)
    with control.behaving(Behaviour(registry_delay_seconds=6)):
        assert repository.pull(image).status == 200
        wait_until(lambda: serving.access_log("ecr", path)[-1]["status"] == 504, "ECR is too late")
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
    wait_until(lambda: other.pull(image).status == 404, "the other repository lacks it")
    time.sleep(DAY_SECONDS)
    with control.behaving(failure):
        time.sleep(ERRORS_LAST_SECONDS)
        assert other.pull(image).status in {403, 429, 503}
        time.sleep(ERRORS_LAST_SECONDS)
        assert one.pull(image).status == 200
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R63")
def test_a_deleted_image_is_served_with_a_warning_for_a_time_and_then_refused(
    control: Control, world: World, serving: Pod, repository: Repository
) -> None:
    image = repository.due("deleted")
    control.delete_image(world.ecr_host, repository.name, image.digest)
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


@pytest.mark.rule("R63")
def test_a_repository_that_never_had_an_image_refuses_it_without_an_alarm(
    serving: Pod, repositories: Callable[[], Repository]
) -> None:
    one, other = repositories(), repositories()
    image = one.push("foreign")
    assert one.pull(image).status == 200
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(other.pull(image))
        return answers[-1].status == 404

    wait_until(is_refused, "the other repository lacks it")
    assert {answer.header("Warning") for answer in answers if answer.status == 200} == {None}
    assert other.path(image) not in serving.error_log()
    assert one.pull(image).status == 200


@pytest.mark.rule("R63")
def test_a_stale_tag_of_a_deleted_image_is_refused_too(control: Control, world: World, repository: Repository) -> None:
    image = repository.push("stale")
    by_tag = f"/v2/{repository.name}/manifests/stale"
    assert repository.client.get(by_tag, ACCEPT).status == 200
    control.delete_image(world.ecr_host, repository.name, image.digest)
    time.sleep(DAY_SECONDS)
    wait_until(lambda: repository.pull(image).status == 404, "the deleted image is refused")
    with control.behaving(Behaviour(registry_status=503)):
        # ECR's 404 is cached for some seconds.
        assert repository.client.get(by_tag, ACCEPT).status in {404, 503}
    time.sleep(ERRORS_LAST_SECONDS)
