"""One page for whoever is on call: is anything wrong, how long does the token last, what did the runs do."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambda_fn.settings import Settings
from stacks.measures import Measures

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
        measures: Measures,
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, construct_id)
        rows = [_token(settings, measures), *_runs(measures), _pods(settings, measures), _duration(measures)]
        if settings.canary:
            rows.append(_canary(measures))
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.days(2))
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title=settings.domain, alarms=alarms, width=_COLUMNS, height=3)
        )
        self.dashboard.add_widgets(*rows)


def _token(settings: Settings, measures: Measures) -> cloudwatch.GraphWidget:
    """The age of the token, as what is left of it at every moment and not only at the end of a run."""
    too_little = (settings.refresh.period_minutes + settings.refresh.flexible_window_minutes) / 60
    left = measures.own("TokenSecondsRemaining", "Maximum")
    return _graph(
        "Token",
        [_calculated(_HOURS_LEFT, left=left, label="hours left")],
        line=cloudwatch.HorizontalAnnotation(value=too_little, label="TokenRunsOut"),
    )


def _runs(measures: Measures) -> list[cloudwatch.GraphWidget]:
    return [
        _graph(
            "Refreshes in an hour",
            [
                measures.own("RefreshSucceeded", "SampleCount", label="runs", period=_HOUR),
                measures.own("RefreshSucceeded", "Sum", label="succeeded", period=_HOUR),
            ],
        ),
        _graph(
            "Rollouts in an hour",
            [
                measures.own("Rollouts", "Sum", label="started", period=_HOUR),
                measures.own("RolloutsStuck", "Sum", label="stuck", period=_HOUR),
            ],
        ),
        _graph(
            "Errors",
            [
                measures.function("Errors", "Sum", label="of the function"),
                measures.function("AsyncEventsDropped", "Sum", label="events dropped"),
                measures.queue("ApproximateNumberOfMessagesVisible", "Maximum", label="in the queue"),
            ],
        ),
    ]


def _pods(settings: Settings, measures: Measures) -> cloudwatch.GraphWidget:
    ready = measures.own("PodsReady", "Minimum")
    return _graph(
        "Pods ready",
        [_calculated(_LAST.format("ready"), ready=ready, label="after the last run")],
        line=cloudwatch.HorizontalAnnotation(value=settings.proxy.replicas, label="proxy.replicas"),
    )


def _duration(measures: Measures) -> cloudwatch.GraphWidget:
    took = measures.own("DurationMilliseconds", "Maximum")
    return _graph("Duration", [_calculated("took / 1000", took=took, label="seconds")])


def _canary(measures: Measures) -> cloudwatch.GraphWidget:
    return _graph(
        "Canary's pulls in an hour",
        [
            measures.own("CanarySuccess", "SampleCount", label="pulls", period=_HOUR),
            measures.own("CanarySuccess", "Sum", label="came", period=_HOUR),
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
