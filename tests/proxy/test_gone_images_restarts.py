"""What a pod refuses when it starts, or starts again: the hints are there before its first request."""

import time

import pytest

from lambda_fn.contract.hints import GONE
from testbed.sandbox.cloud.publish import Image
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.revalidated import Repository


def mount(pod: Pod, world: World, repository: Repository, *images: Image) -> None:
    lines = (f"{int(time.time())} {world.ecr_host}/{repository.name}@{image.digest}\n" for image in images)
    pod.mount("hints", {GONE: "".join(lines).encode()})


@pytest.mark.rule("R64")
def test_a_new_pod_refuses_from_its_first_request(pod: Pod, world: World, repository: Repository) -> None:
    gone, served = repository.push("gone"), repository.push("served")
    mount(pod, world, repository, gone)
    pod.start()
    assert [repository.pull(gone).status, repository.pull(served).status] == [404, 200]


@pytest.mark.rule("R64")
def test_a_container_that_restarts_refuses_what_was_named_meanwhile(
    started: Pod, world: World, repository: Repository
) -> None:
    """Its cache outlives it, with the last state of each image."""
    before, meanwhile = repository.push("before"), repository.push("meanwhile")
    assert [repository.pull(image).status for image in (before, meanwhile)] == [200, 200]
    mount(started, world, repository, before)
    wait_until(lambda: repository.pull(before).status == 404, "the image is refused", seconds=10)
    started.kill()
    mount(started, world, repository, before, meanwhile)
    started.restart()
    assert repository.pull(before).status == 404
    wait_until(lambda: repository.pull(meanwhile).status == 404, "the other image is refused, too", seconds=4)


@pytest.mark.rule("R65")
def test_a_container_that_restarts_removes_the_files_that_are_left(
    started: Pod, world: World, repository: Repository
) -> None:
    image = repository.push("gone")
    assert repository.pull(image).status == 200
    assert repository.client.get(f"/v2/{repository.name}/blobs/{image.layers[0]}").status == 200
    wait_until(lambda: len([*(started.folder / "cache").glob("[bm]*/*/*/*")]) == 2, "both are stored")
    started.kill()
    mount(started, world, repository, image)
    started.restart()
    wait_until(lambda: not [*(started.folder / "cache").glob("[bm]*/*/*/*")], "both files are gone", seconds=20)


@pytest.mark.rule("R66")
def test_a_pod_without_hints_serves(started: Pod, world: World, repository: Repository) -> None:
    """The ConfigMap need not exist; when it is deleted, nothing is refused any more."""
    image = repository.push("served")
    assert repository.pull(image).status == 200
    mount(started, world, repository, image)
    wait_until(lambda: repository.pull(image).status == 404, "the image is refused", seconds=10)
    started.mount("hints", {})
    wait_until(lambda: repository.pull(image).status == 200, "the image is served", seconds=10)
