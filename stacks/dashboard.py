"""One page for whoever is on call: is anything wrong, how long does the token last, what did the runs do."""

from collections.abc import Sequence
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambda_fn.settings import Settings
from stacks.metrics import Metrics

_COLUMNS, _HEIGHT = 24, 6
_HOUR = cdk.Duration.hours(1)
# A run leaves one datapoint; between two runs what it said still holds.
_HOURS_LEFT = "(FILL(left + EPOCH(left), REPEAT) - EPOCH(FILL(left, REPEAT))) / 3600"
_LAST = "FILL({}, REPEAT)"


class Dashboard(Construct):
    """The alarms in one row, and a graph for each question below it. `docs/dashboard.svg` is drawn from it.

    Attributes:
        dashboard: It has the name CloudFormation gives it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        metrics: Metrics,
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, construct_id)
        rows = [_token(settings, metrics), *_runs(metrics), _pods(settings, metrics), _duration(metrics)]
        if settings.canary:
            rows.append(_canary(metrics))
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.days(2))
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title=settings.domain, alarms=alarms, width=_COLUMNS, height=3)
        )
        self.dashboard.add_widgets(*rows)


def _token(settings: Settings, metrics: Metrics) -> cloudwatch.GraphWidget:
    """The age of the token, as what is left of it at every moment and not only at the end of a run."""
    too_little = settings.refresh.schedule.longest_until(1) / timedelta(hours=1)
    left = metrics.own("TokenSecondsRemaining", "Maximum")
    return _graph(
        "Token",
        [_calculated(_HOURS_LEFT, left=left, label="hours left")],
        line=cloudwatch.HorizontalAnnotation(value=too_little, label="TokenRunsOut"),
    )


def _runs(metrics: Metrics) -> list[cloudwatch.GraphWidget]:
    return [
        _graph(
            "Refreshes in an hour",
            [
                metrics.own("RefreshSucceeded", "SampleCount", label="runs", period=_HOUR),
                metrics.own("RefreshSucceeded", "Sum", label="succeeded", period=_HOUR),
            ],
        ),
        _graph(
            "Rollouts in an hour",
            [
                metrics.own("Rollouts", "Sum", label="started", period=_HOUR),
                metrics.own("RolloutsStuck", "Sum", label="stuck", period=_HOUR),
            ],
        ),
        _graph(
            "Errors",
            [
                metrics.function("Errors", "Sum", label="of the function"),
                metrics.function("AsyncEventsDropped", "Sum", label="events dropped"),
                metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum", label="in the queue"),
            ],
        ),
    ]


def _pods(settings: Settings, metrics: Metrics) -> cloudwatch.GraphWidget:
    ready = metrics.own("PodsReady", "Minimum")
    return _graph(
        "Pods ready",
        [_calculated(_LAST.format("ready"), ready=ready, label="after the last run")],
        line=cloudwatch.HorizontalAnnotation(value=settings.proxy.replicas, label="proxy.replicas"),
    )


def _duration(metrics: Metrics) -> cloudwatch.GraphWidget:
    took = metrics.own("DurationMilliseconds", "Maximum")
    return _graph("Duration", [_calculated("took / 1000", took=took, label="seconds")])


def _canary(metrics: Metrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Canary's pulls in an hour",
        [
            metrics.own("CanarySuccess", "SampleCount", label="pulls", period=_HOUR),
            metrics.own("CanarySuccess", "Sum", label="came", period=_HOUR),
        ],
    )


def _calculated(expression: str, *, label: str, **metrics: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=metrics, label=label, period=cdk.Duration.minutes(5)
    )


def _graph(
    title: str, metrics: Sequence[cloudwatch.IMetric], *, line: cloudwatch.HorizontalAnnotation | None = None
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=metrics,
        left_annotations=[line] if line else [],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=_COLUMNS // 3,
        height=_HEIGHT,
    )
