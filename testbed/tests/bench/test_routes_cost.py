"""The cost of 500 routes can be measured: both pods answer from their caches, by names of every kind."""

from pathlib import Path

from testbed.bench import routes_cost
from testbed.sandbox.world import World


def test_the_cost_of_500_routes_is_measured_for_each_case(world: World, tmp_path: Path) -> None:
    ratios = routes_cost.run(world, tmp_path, rounds=1, seconds=1)
    assert len(ratios) == 6
    assert all(0.1 < ratio < 10 for ratio in ratios.values()), "not the same work, whatever runs beside this"
