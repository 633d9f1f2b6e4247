"""What every suite shares: the world of real parts, or the reason why there is none."""

import os

import pytest

from sandbox.world import STATE_VARIABLE, World


@pytest.fixture(scope="session")
def world() -> World:
    """The sandbox these tests run in. Without one they are skipped; in CI, where it must be there, they fail."""
    if os.environ.get(STATE_VARIABLE):
        return World.current()
    reason = f"{STATE_VARIABLE} is not set: run `make test` as root on Linux, which runs this inside the sandbox"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
