"""Docker on the real node: it sends its `Accept` in random order, to one of two pods each time."""

from collections.abc import Iterator

import pytest

from lambda_fn.settings import parse_toml
from testbed.clients.docker import Docker
from testbed.sandbox import image, installation
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.hosts import point
from testbed.sandbox.progress import say
from testbed.sandbox.world import World

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PULLS = 20
LONG_TTL = "[proxy.cache]\ntag_seconds = 3600\n"
"""No tag expires during the test."""


@pytest.fixture(scope="module")
def reference(world: World) -> Iterator[str]:
    """The application's image at a front door of two pods."""
    Control().reset()
    deployed = parse_toml(installation.toml(world, image=image.proxy_image(world)) + LONG_TTL, "the test's settings")
    assert installation.install(world).error is None
    assert installation.refresh(world, {}, deployed).error is None
    assert len(installation.proxy_pods(world)) == 2
    yield f"{world.domain}/{world.app_repository}:{world.app_tag}"
    point(world, {})


@pytest.fixture
def docker(world: World, reference: str) -> Iterator[Docker]:  # noqa: ARG001 - it resolves the domain after it has been moved
    with Docker.running(world) as client:
        yield client


def test_docker_costs_ecr_two_manifest_requests_for_each_pod_and_then_needs_no_ecr(
    docker: Docker, reference: str, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = control.mark()
    assert failures(docker, reference) == []
    requests = control.requests(mark).of("registry.manifests")
    with capsys.disabled():
        say(f"{PULLS} pulls by docker from two pods: {len(requests)} manifest requests to ECR")
    assert len(requests) <= 4, [(request.method, request.path) for request in requests]
    with control.behaving(Behaviour(registry_outage="refused")):
        assert failures(docker, reference) == []


def failures(docker: Docker, reference: str) -> list[str]:
    """What docker says about the pulls that fail."""
    found = []
    for _ in range(PULLS):
        docker.forget()
        outcome = docker.pull(reference)
        if not outcome.succeeded:
            found.append(outcome.output)
    return found
