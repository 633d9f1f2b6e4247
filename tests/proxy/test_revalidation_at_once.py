"""Images that ECR lacks are refused at once, and what clients get when the state of an image is not known."""

import time

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Answer, Client

DAY_SECONDS = 2.1


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    cache = settings.proxy.cache.model_copy(update={"revalidate_seconds": 1, "deleted_seconds": 0})
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"cache": cache})})


@pytest.mark.rule("R63")
def test_a_deleted_image_is_refused_when_that_is_noticed(
    pod: Pod, client: Client, control: Control, publisher: Publisher, world: World
) -> None:
    pod.start()
    image = publisher.image("team/app", "deleted", [b"a layer"])
    path = f"/v2/team/app/manifests/{image.digest}"
    assert client.get(path, ACCEPT).status == 200
    control.delete_image(world.ecr_host, "team/app", image.digest)
    time.sleep(DAY_SECONDS)
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(client.get(path, ACCEPT))
        return answers[-1].status == 404

    wait_until(is_refused, "the deleted image is refused")
    assert {(answer.status, answer.header("Warning")) for answer in answers[:-1]} == {(200, None)}
    assert f"image_missing /{world.ecr_host}{path}" in pod.error_log()


@pytest.mark.rule("R62")
def test_a_cached_manifest_is_served_when_its_state_is_not_known(
    pod: Pod, client: Client, publisher: Publisher
) -> None:
    script = pod.folder / "scripts" / "image_state.js"
    start = "async function image_state(r) {"
    script.write_text(script.read_text().replace(start, f"{start} r.return(500); return;"), encoding="utf-8")
    pod.start()
    image = publisher.image("team/app", "stateless", [b"a layer"])
    path = f"/v2/team/app/manifests/{image.digest}"
    assert [client.get(path, ACCEPT).status for _ in range(2)] == [200, 200]
