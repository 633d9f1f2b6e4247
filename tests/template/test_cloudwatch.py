"""The evaluator of alarms, compared with the examples in the documentation of CloudWatch."""

from typing import Any

import pytest

from tests.template.cloudwatch import ALARM, OK, UNKNOWN, Sample, state_of, states

VALUES = {"0": 0.0, "X": 1.0, "-": None}


def alarm(periods: int = 1, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - CloudFormation's properties
    """An alarm on a sum of one or more in five minutes."""
    return {
        "Namespace": "n",
        "MetricName": "m",
        "Dimensions": [],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": periods,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        **properties,
    }


def written(points: str) -> list[float | None]:
    """Datapoints as the documentation writes them, the oldest first."""
    return [VALUES[point] for point in reversed(points.split())]


# The tables of "How alarm state is evaluated when data is missing": five points retrieved for three evaluation periods.
@pytest.mark.parametrize(
    ("to_alarm", "points", "breaching", "not_breaching"),
    [
        (3, "0 - X - X", OK, OK),
        (3, "0 - - - -", OK, OK),
        (3, "- - - - -", ALARM, OK),
        (3, "0 X X - X", ALARM, ALARM),
        (3, "- - - - X", ALARM, OK),
        (2, "0 - X - X", ALARM, ALARM),
        (2, "0 0 X 0 X", ALARM, ALARM),
        (2, "0 - X - -", ALARM, OK),
        (2, "- - - - 0", ALARM, OK),
        (2, "- - - - X", ALARM, OK),
    ],
)
def test_missing_datapoints_are_treated_as_in_the_aws_tables(
    to_alarm: int, points: str, breaching: str, not_breaching: str
) -> None:
    for treatment, state in (("breaching", breaching), ("notBreaching", not_breaching)):
        properties = alarm(3, DatapointsToAlarm=to_alarm, TreatMissingData=treatment)
        assert state_of(properties, written(points), UNKNOWN) == state


@pytest.mark.parametrize(
    ("points", "missing", "ignored"), [("- -", UNKNOWN, "as before"), ("X -", ALARM, ALARM), ("0 -", OK, OK)]
)
def test_an_older_datapoint_is_used_before_data_counts_as_missing(points: str, missing: str, ignored: str) -> None:
    assert state_of(alarm(), written(points), "as before") == missing
    assert state_of(alarm(TreatMissingData="ignore"), written(points), "as before") == ignored


@pytest.mark.parametrize("treatment", ["missing", "ignore"])
def test_an_alarm_that_is_not_modelled_is_an_error(treatment: str) -> None:
    with pytest.raises(NotImplementedError):
        state_of(alarm(2, TreatMissingData=treatment), written("0 -"), OK)
    rate = [{"Id": "e", "Expression": "RATE(m)"}, {"Id": "m", "ReturnData": False, "MetricStat": _stat(60)}]
    with pytest.raises(NotImplementedError, match="RATE"):
        states({**alarm(), "Metrics": rate}, [], until=60, further_back=0)


def _stat(period_seconds: int) -> dict[str, Any]:
    metric = {"Namespace": "n", "MetricName": "m", "Dimensions": []}
    return {"Metric": metric, "Stat": "Sum", "Period": period_seconds}


@pytest.mark.parametrize(
    ("statistic", "threshold", "state"),
    [
        ("Sum", 6, ALARM),
        ("Sum", 7, OK),
        ("Minimum", 1, ALARM),
        ("Minimum", 2, OK),
        ("Maximum", 3, ALARM),
        ("Maximum", 4, OK),
        ("Average", 2, ALARM),
        ("Average", 3, OK),
        ("SampleCount", 3, ALARM),
        ("SampleCount", 4, OK),
    ],
)
def test_a_datapoint_is_the_statistic_of_its_period(statistic: str, threshold: int, state: str) -> None:
    samples = [Sample(60, 1), Sample(120, 2), Sample(200, 3)]
    properties = alarm(Statistic=statistic, Threshold=threshold)
    assert states(properties, samples, until=300, further_back=0)[-1] == state


def test_the_window_slides_with_every_minute() -> None:
    # No window of five minutes holds both of the first two; the one that ends with the sixth minute holds the others.
    apart = [Sample(65, 1), Sample(365, 1)]
    together = [Sample(65, 1), Sample(359, 1)]
    properties = alarm(Threshold=2, TreatMissingData="notBreaching")
    assert ALARM not in states(properties, apart, until=900, further_back=0)
    assert ALARM in states(properties, together, until=900, further_back=0)


def test_filled_datapoints_are_not_missing() -> None:
    queries = [{"Id": "e", "Expression": "FILL(m, 0)"}, {"Id": "m", "ReturnData": False, "MetricStat": _stat(300)}]
    filled = {**alarm(ComparisonOperator="LessThanThreshold"), "Metrics": queries}
    assert states(filled, [], until=60, further_back=3) == [ALARM]
