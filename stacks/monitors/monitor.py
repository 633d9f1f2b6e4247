"""A monitor, and what its metrics are computed with."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.alarms import AlarmRule
from stacks.dashboard import Graph

HOUR = cdk.Duration.hours(1)


@dataclass(frozen=True)
class Monitor:
    """A graph of the dashboard with the alarms on its metrics."""

    graph: Graph
    alarms: tuple[AlarmRule, ...] = ()


def calculated(expression: str, *, label: str, **metrics: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    """A line that CloudWatch computes from `metrics`, which the expression uses by name."""
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=metrics, label=label, period=cdk.Duration.minutes(5)
    )


def whole_minutes(span: timedelta) -> cdk.Duration:
    """The span, rounded up: the periods of CloudWatch are whole minutes."""
    return cdk.Duration.minutes(ceil(span / timedelta(minutes=1)))
