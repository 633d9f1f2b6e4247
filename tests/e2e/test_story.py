"""The demo's steps on the real node, in the demo's order: one failing step fails those that stand on it."""

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
def held() -> list[str]:
    """The names of the steps that have held so far."""
    return []


@pytest.mark.parametrize("act", STEPS, ids=[step.__name__ for step in STEPS])
def test_step_holds(story: Story, held: list[str], act: Callable[[Story], Lines]) -> None:
    earlier = [step.__name__ for step in STEPS[: STEPS.index(act)]]
    assert held == earlier, "an earlier step did not hold"
    shown = list(act(story))
    assert shown, "a step that shows nothing proves nothing"
    held.append(act.__name__)
