"""The cost of the metrics can be measured: both pods answer from their caches, and it is the cost of one request."""

from pathlib import Path

from testbed.bench import metrics_cost
from testbed.sandbox.world import World


def test_the_cost_of_the_metrics_is_measured_for_each_case(world: World, tmp_path: Path) -> None:
    ratios = metrics_cost.run(world, tmp_path, rounds=1, seconds=1)
    assert set(ratios) == {"blob of 10 kB", "manifest by tag"}
    assert all(0.1 < ratio < 10 for ratio in ratios.values()), "not the same work, whatever runs beside this"
