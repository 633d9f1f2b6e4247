"""A sandbox of the tests' own: another state folder than the one a person may be using."""

import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from testbed.sandbox import lifecycle
from testbed.sandbox.world import STATE_VARIABLE, World

CHECKOUT = Path(__file__).parents[3]
STATE = Path(f"/var/lib/ecr-frontdoor-tests-{sha256(bytes(CHECKOUT)).hexdigest()[:8]}")
"""The same each time, so that what a killed run has left is found; another checkout has another."""


@pytest.fixture(scope="session")
def machine() -> None:
    """These tests make sandboxes themselves, so they run outside of one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("the sandbox needs root on Linux")
    if os.environ.get(STATE_VARIABLE):
        pytest.skip("this runs inside a sandbox already; run `make lifecycle` outside")


@pytest.fixture
def world(machine: None) -> Iterator[World]:  # noqa: ARG001 - asks whether it can be
    world = World(state=STATE)
    lifecycle.down(world)
    yield world
    lifecycle.down(world)
