"""A sandbox of the tests' own: another state folder than the one a person may be using."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.world import STATE_VARIABLE, World


@pytest.fixture(scope="session")
def machine() -> None:
    """These tests make sandboxes themselves, so they run outside of one. In CI, where they must run, they fail."""
    reason = None
    if sys.platform != "linux" or os.geteuid() != 0:
        reason = "the sandbox needs root on Linux"
    elif os.environ.get(STATE_VARIABLE):
        reason = "this runs inside a sandbox already; run `make lifecycle` outside"
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def world(machine: None) -> Iterator[World]:  # noqa: ARG001 - asks whether it can be
    world = World(state=Path("/var/lib/ecr-frontdoor-sandbox-tests"))
    lifecycle.down(world)
    yield world
    lifecycle.down(world)
