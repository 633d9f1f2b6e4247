"""The front door, installed once on the node of the sandbox."""

import ssl
from collections.abc import Iterator

import httpx2
import pytest

from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World


@pytest.fixture(scope="session")
def installed(world: World) -> World:
    Control().reset()
    invocation = installation.install(world)
    assert invocation.error is None, invocation.log
    return world


@pytest.fixture
def control() -> Iterator[Control]:
    control = Control()
    control.reset()
    yield control
    control.reset()


@pytest.fixture
def publisher(world: World) -> Iterator[Publisher]:
    """Pushes to the private ECR."""
    trust = ssl.create_default_context(cafile=str(world.ca.certificate))
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Publisher(session, world.ecr_host, Control().issue_token(world.region).authorization)
