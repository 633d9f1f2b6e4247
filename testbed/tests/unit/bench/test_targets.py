"""Targets beside what was measured."""

import pytest

from testbed.bench.samples import Spread
from testbed.bench.targets import TARGETS, Target, Verdict


def verdict(measured: Spread | None, *, at_least: bool = False, worst: bool = False) -> bool | None:
    return Verdict(Target("what", 2, lambda _: measured, at_least=at_least, worst=worst), measured).met


@pytest.mark.parametrize(("median", "met"), [(1.9, True), (2.0, True), (2.1, False)])
def test_a_median_within_its_bound_meets_the_target(median: float, *, met: bool) -> None:
    assert verdict(Spread(median, 0, 9)) is met
    assert verdict(Spread(4 - median, 0, 9), at_least=True) is met


def test_what_is_counted_has_to_meet_the_target_in_every_round() -> None:
    assert verdict(Spread(1, 1, 3), worst=True) is False
    assert verdict(Spread(3, 1, 3), at_least=True, worst=True) is False


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert verdict(None) is None


def test_no_target_stands_there_twice() -> None:
    assert len({target.what for target in TARGETS}) == len(TARGETS)
