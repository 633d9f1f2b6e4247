"""A schedule knows its EventBridge expression and how long its next runs may take to start."""

from datetime import timedelta

import pytest

from lambda_fn.settings.schedule import Rate

HOURLY = Rate(period_minutes=60, window_minutes=15)


def test_a_rate_is_written_as_eventbridge_writes_it() -> None:
    assert HOURLY.expression == "rate(60 minutes)"


@pytest.mark.parametrize(("runs", "minutes"), [(1, 75), (2, 135), (3, 195)])
def test_the_window_counts_once_however_many_runs_are_awaited(runs: int, minutes: int) -> None:
    assert HOURLY.longest_until(runs) == timedelta(minutes=minutes)


def test_the_longest_gap_is_the_period_and_the_window_is_separate() -> None:
    assert (HOURLY.longest_gap, HOURLY.window) == (timedelta(minutes=60), timedelta(minutes=15))


def test_a_rate_without_a_window_starts_on_time() -> None:
    assert Rate(15).longest_until(1) == timedelta(minutes=15)
