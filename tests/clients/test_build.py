"""`docker build` fetches its base image by BuildKit's own client, not by the daemon's."""

from typing import get_args

import pytest

from testbed.clients.client import Client
from testbed.clients.docker import Docker
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from tests.clients.matrix import AWAY
from tests.clients.place import By, Image, answers, blobs

pytestmark = pytest.mark.long


@pytest.fixture
def docker(clients: dict[str, Client]) -> Docker:
    found = clients["docker"]
    assert isinstance(found, Docker)
    found.forget()
    return found


@pytest.mark.parametrize("way", get_args(By))
def test_a_build_from_a_base_image_works(docker: Docker, pod: Pod, app: Image, way: By) -> None:
    built = docker.build(app.by(way))
    assert built.succeeded, built.output
    assert len(blobs(answers(pod))) == 4


@pytest.mark.parametrize("way", get_args(By))
def test_a_build_works_without_ecr_from_what_a_node_has_pulled(
    docker: Docker, clients: dict[str, Client], pod: Pod, app: Image, control: Control, way: By
) -> None:
    clients["containerd"].forget()
    assert clients["containerd"].pull(app.by("tag")).succeeded
    before = len(answers(pod))
    with control.behaving(AWAY):
        built = docker.build(app.by(way))
    assert built.succeeded, built.output
    assert len(blobs(answers(pod)[before:])) == 4
