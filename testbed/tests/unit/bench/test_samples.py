"""Figures of many rounds, and ratios that pair what was measured in the same round."""

import pytest

from testbed.bench.samples import Sample, Samples, Spread


def samples(**rounds: list[float]) -> Samples:
    """Requests a second of each contestant, round by round."""
    return Samples(
        Sample(name, "requests", "blob", "rate", number, value)
        for name, values in rounds.items()
        for number, value in enumerate(values)
    )


def test_a_spread_is_the_median_and_both_ends() -> None:
    assert Spread.of([3, 1, 10]) == Spread(3, 1, 10)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Spread.of([])


def test_a_ratio_pairs_the_figures_of_one_round() -> None:
    """The second round was disturbed for both: their ratio was not."""
    both = samples(ours=[100, 10, 90], theirs=[200, 20, 180])
    assert both.ratio(("ours", "theirs"), "requests", "blob", "rate") == Spread(0.5, 0.5, 0.5)


def test_a_round_only_one_of_them_has_gives_no_ratio() -> None:
    both = samples(ours=[100, 10], theirs=[50])
    assert both.ratio(("ours", "theirs"), "requests", "blob", "rate") == Spread(2, 2, 2)
    assert both.ratio(("ours", "unmeasured"), "requests", "blob", "rate") is None


def test_cases_come_in_the_order_they_were_measured_in() -> None:
    measured = Samples(Sample("ours", "coalescing", case, "seconds", 0, 1) for case in ("50", "10", "50"))
    assert measured.cases("coalescing", "seconds") == ["50", "10"]
