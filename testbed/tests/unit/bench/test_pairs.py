"""The program of a paired measurement: its exit status, and what it passes on."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from testbed.bench import pairs
from testbed.sandbox.world import World


@pytest.mark.parametrize(("ratios", "status"), [({"a": 1.05, "b": 0.9}, 0), ({"a": 0.9, "b": 1.051}, 1)])
def test_a_case_that_costs_more_than_5_percent_fails_the_measurement(
    monkeypatch: pytest.MonkeyPatch, ratios: dict[str, float], status: int
) -> None:
    world = object()
    monkeypatch.setattr(World, "current", lambda: world)
    monkeypatch.setattr("sys.argv", ["measure", "--rounds", "2", "--seconds", "3"])
    run = Mock(return_value=ratios)
    assert pairs.main("What it costs.", run) == status
    (of, folder), options = run.call_args
    assert (of, options) == (world, {"rounds": 2, "seconds": 3})
    assert isinstance(folder, Path)


def test_pods_are_stopped_where_one_does_not_start() -> None:
    first, second = Mock(), Mock()
    second.start.side_effect = OSError
    with pytest.raises(OSError), pairs.serving({"first": first, "second": second}):  # noqa: PT011 - the one above
        pass
    assert first.stop.called
    assert second.stop.called
