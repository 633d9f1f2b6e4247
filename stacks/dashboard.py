"""The CloudWatch dashboard from its graphs. `stacks/monitors` declares the graphs, beside the alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_COLUMNS, _HEIGHT = 24, 6


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph.

    Attributes:
        title: Shown above it.
        lines: Its metrics, each with its label.
        limit: A horizontal line, as its value and label; None without one.
    """

    title: str
    lines: Sequence[cloudwatch.IMetric]
    limit: tuple[float, str] | None = None


class Dashboard(Construct):
    """The alarms in one row, and the graphs below it. `docs/dashboard.svg` is drawn from it.

    Attributes:
        dashboard: It has the name CloudFormation gives it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        title: str,
        graphs: Sequence[Graph],
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.days(2))
        self.dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title=title, alarms=alarms, width=_COLUMNS, height=3))
        self.dashboard.add_widgets(*map(_widget, graphs))


def _widget(graph: Graph) -> cloudwatch.GraphWidget:
    limits = []
    if graph.limit:
        value, label = graph.limit
        limits = [cloudwatch.HorizontalAnnotation(value=value, label=label)]
    return cloudwatch.GraphWidget(
        title=graph.title,
        left=graph.lines,
        left_annotations=limits,
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=_COLUMNS // 3,
        height=_HEIGHT,
    )
