"""The front door, installed once on the node of the sandbox."""

from collections.abc import Iterator

import pytest

from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
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
