"""CloudWatch's evaluation of an alarm, from the alarm's CloudFormation properties and the samples of its metrics.

Sources, under https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ :

* `alarm-evaluation.html`: period, evaluation periods, datapoints to alarm;
* `alarms-and-missing-data.html`: the evaluation range and the four treatments of missing data;
* `alarm-evaluation-window.html`: by default the window slides, with every evaluation;
* `alarm-limits.html`: an alarm is evaluated every minute, however long its period;
* `using-metric-math.html`: `FILL`.

Left out, and refused: percentiles, mathematics other than `FILL(metric, number)`, windows by the wall clock, and what
`missing` and `ignore` do with several datapoints, where the documentation's rule against premature alarms comes in.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
MINUTE = 60

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
}


@dataclass(frozen=True)
class Sample:
    """One value of the metric, `at_seconds` after the start."""

    at_seconds: float
    value: float


@dataclass(frozen=True)
class Metric:
    """A metric, with the statistic and period that an alarm uses."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    statistic: str
    period_seconds: int


def metric(alarm: Mapping[str, Any]) -> Metric:
    """The only metric of an alarm, direct or in an expression."""
    if "Metrics" not in alarm:
        return _metric(alarm, alarm["Statistic"], alarm["Period"])
    (query,) = (query for query in alarm["Metrics"] if "MetricStat" in query)
    stat = query["MetricStat"]
    return _metric(stat["Metric"], stat["Stat"], stat["Period"])


def states(alarm: Mapping[str, Any], samples: Iterable[Sample], *, until: int, further_back: int) -> list[str]:
    """The alarm's state after each minute until `until` seconds.

    Args:
        alarm: CloudFormation properties.
        samples: Of its metric; none from before the alarm was made.
        until: When to stop, in seconds.
        further_back: How many more datapoints than its evaluation periods CloudWatch retrieves. It says that it does,
            and not how many: what is tested must hold for any number.
    """
    known, state, found = list(samples), UNKNOWN, []
    for now in range(MINUTE, until + 1, MINUTE):
        count = alarm["EvaluationPeriods"] + further_back
        state = state_of(alarm, _datapoints(alarm, known, now, count), state)
        found.append(state)
    return found


def state_of(alarm: Mapping[str, Any], datapoints: Sequence[float | None], before: str) -> str:
    """The state after `before`, for the retrieved datapoints, newest first."""
    periods = alarm["EvaluationPeriods"]
    to_alarm = alarm.get("DatapointsToAlarm", periods)
    treatment = alarm.get("TreatMissingData", "missing")
    if treatment in {"missing", "ignore"} and periods > 1:
        raise NotImplementedError(f"{treatment} with {periods} evaluation periods")
    # Missing ones are used "only as few times as possible": what exists counts, however far back it lies.
    existing = [value for value in datapoints if value is not None][:periods]
    missing = periods - len(existing)
    if missing and treatment == "ignore":
        return before
    if missing and treatment == "missing":
        return UNKNOWN
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    breaching = sum(breaches(value, alarm["Threshold"]) for value in existing)
    return ALARM if breaching + (missing if treatment == "breaching" else 0) >= to_alarm else OK


def _datapoints(alarm: Mapping[str, Any], samples: Sequence[Sample], now: int, count: int) -> list[float | None]:
    """The alarm's newest datapoints, newest first, each of a period that ends a whole number of periods before now."""
    seen = metric(alarm)
    found: list[float | None] = []
    for number in range(count):
        ends_at = now - number * seen.period_seconds
        values = [s.value for s in samples if ends_at - seen.period_seconds <= s.at_seconds < ends_at]
        found.append(_STATISTICS[seen.statistic](values) if values else None)
    return _calculated(alarm, found)


def _calculated(alarm: Mapping[str, Any], datapoints: list[float | None]) -> list[float | None]:
    if "Metrics" not in alarm:
        return datapoints
    (query,) = (query for query in alarm["Metrics"] if "Expression" in query)
    (source,) = (query for query in alarm["Metrics"] if "MetricStat" in query)
    if (query.get("ReturnData", True), source.get("ReturnData", True)) != (True, False):
        raise NotImplementedError("an alarm looks at exactly one of its queries")
    fill = re.fullmatch(rf"FILL\({source['Id']}, *(\d+)\)", query["Expression"])
    if not fill:
        raise NotImplementedError(query["Expression"])
    return [float(fill[1]) if value is None else value for value in datapoints]


def _metric(identity: Mapping[str, Any], statistic: str, period_seconds: int) -> Metric:
    dimensions = frozenset((dimension["Name"], str(dimension["Value"])) for dimension in identity["Dimensions"])
    return Metric(identity["Namespace"], identity["MetricName"], dimensions, statistic, period_seconds)
