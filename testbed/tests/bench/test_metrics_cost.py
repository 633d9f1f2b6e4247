"""The cost of the metrics can be measured: both pods answer from their caches, and it is the cost of one request."""

from pathlib import Path

import pytest

from testbed.bench import metrics_cost
from testbed.sandbox.world import World


def test_the_cost_of_the_metrics_is_measured_for_each_case(world: World, tmp_path: Path) -> None:
    ratios = metrics_cost.run(world, tmp_path, rounds=1, seconds=1)
    assert ratios == {"blob of 10 kB": pytest.approx(1, abs=0.5), "manifest by tag": pytest.approx(1, abs=0.5)}
