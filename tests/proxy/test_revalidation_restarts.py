"""What a container that restarts knows of images: its cache outlives it."""

import time
from pathlib import Path

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.revalidated import Repository, pulls, with_short_days


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_short_days(settings, deleted_seconds=3600)


def state_file(pod: Pod, zone: str) -> Path:
    return pod.folder / "cache" / f"{zone}.json"


def wait_until_stored(file: Path, image: Image) -> None:
    """Return when a state file names the image: nginx writes one within a second after a change."""
    wait_until(lambda: file.exists() and image.digest in file.read_text(), f"{file.name} names the image")


@pytest.mark.rule("R63")
def test_a_restart_ends_neither_the_time_nor_the_warning_of_an_image_that_ecr_lacks(
    started: Pod, control: Control, repository: Repository, world: World
) -> None:
    image = repository.due("deleted")
    control.delete_image(world.ecr_host, repository.name, image.digest)
    wait_until(lambda: repository.pull(image).header("Warning"), "the deletion is noticed")
    wait_until_stored(state_file(started, "images_missing"), image)
    started.kill()
    started.restart()
    for _ in range(10):
        answer = repository.pull(image)
        assert (answer.status, answer.body, answer.header("Warning") is not None) == (200, image.manifest, True)
        time.sleep(0.5)


@pytest.mark.rule("R63")
@pytest.mark.parametrize("content", ["", "{", '{"/an image":{"value":"x"}}', "\0" * 5000], ids=range(4))
def test_a_damaged_state_file_stops_no_container(
    started: Pod, control: Control, repository: Repository, content: str
) -> None:
    started.tolerated += ("from state file",)
    image = repository.push("known")
    assert repository.pull(image).status == 200
    stored = state_file(started, "image_pulls")
    wait_until_stored(stored, image)
    started.kill()
    stored.write_text(content)
    mark = control.mark()
    started.restart()
    assert repository.pull(image).body == image.manifest
    wait_until(lambda: pulls(control.requests(mark), repository.path(image)), "ECR is asked about the image")
    wait_until_stored(stored, image)


@pytest.mark.rule("R63")
def test_a_damaged_state_file_stops_no_pod(pod: Pod) -> None:
    """A node that restarts runs the init container again, with the volume that it has."""
    stored = state_file(pod, "images_missing")
    stored.write_text("{")
    assert pod.check().returncode == 0
    assert not stored.exists()
