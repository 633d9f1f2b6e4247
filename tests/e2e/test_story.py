"""The steps of the demo on the real node, in their order. A failed step fails the steps after it."""

from collections.abc import Callable

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.demo import STEPS, Story
from testbed.sandbox.story import Lines
from testbed.sandbox.world import World


@pytest.fixture(scope="module")
def story(world: World) -> Story:
    control = Control()
    control.reset()
    return Story(world, control)


@pytest.fixture(scope="module")
def passed() -> list[str]:
    """The names of the steps that have passed."""
    return []


@pytest.mark.parametrize("act", STEPS, ids=[step.__name__ for step in STEPS])
def test_step_passes(story: Story, passed: list[str], act: Callable[[Story], Lines]) -> None:
    earlier = [step.__name__ for step in STEPS[: STEPS.index(act)]]
    assert passed == earlier, "an earlier step failed"
    shown = list(act(story))
    assert shown, "the step shows nothing"
    passed.append(act.__name__)
