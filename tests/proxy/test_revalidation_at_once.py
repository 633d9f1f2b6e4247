"""Images that ECR lacks are refused at once, and what clients get when the state of an image is not known."""

import time

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS
from tests.proxy.client import Answer
from tests.proxy.revalidated import Repository, with_short_days


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_short_days(settings, deleted_seconds=0)


@pytest.mark.rule("R63")
def test_a_deleted_image_is_refused_when_that_is_noticed(
    started: Pod, control: Control, repository: Repository, world: World
) -> None:
    image = repository.due("deleted")
    control.delete_image(world.ecr_host, repository.name, image.digest)
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(repository.pull(image))
        return answers[-1].status == 404

    wait_until(is_refused, "the deleted image is refused")
    assert {(answer.status, answer.header("Warning")) for answer in answers[:-1]} == {(200, None)}
    assert f"image_missing /{world.ecr_host}{repository.path(image)}" in started.error_log()


@pytest.mark.rule("R63")
def test_an_image_that_is_refused_stays_so_when_the_container_restarts_and_ecr_fails(
    started: Pod, control: Control, repository: Repository, world: World
) -> None:
    image = repository.due("refused")
    control.delete_image(world.ecr_host, repository.name, image.digest)
    wait_until(lambda: repository.pull(image).status == 404, "the deleted image is refused")
    missing = started.folder / "cache" / "images_missing.json"
    wait_until(lambda: missing.exists() and image.digest in missing.read_text(), "the deletion is on the disk")
    started.kill()
    started.restart()
    with control.behaving(Behaviour(registry_status=503)):
        for _ in range(10):
            # ECR's 404 is cached for some seconds.
            assert repository.pull(image).status in {404, 503}
            time.sleep(0.5)
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R62")
def test_a_cached_manifest_is_served_when_its_state_is_not_known(pod: Pod, repository: Repository) -> None:
    script = pod.folder / "scripts" / "image_state.js"
    start = "async function image_state(r) {"
    script.write_text(script.read_text().replace(start, f"{start} r.return(500); return;"), encoding="utf-8")
    pod.start()
    image = repository.push("stateless")
    assert [repository.pull(image).status for _ in range(2)] == [200, 200]
