"""The monitor of the catalogue: how old its oldest part may be."""

from datetime import timedelta

from aws_cdk import aws_cloudwatch as cloudwatch

from lambda_fn.contract.metrics import CATALOGUE_AGE, CATALOGUE_OLD
from stacks.alarms import AT_LEAST, OK_WITHOUT_DATA, AlarmRule
from stacks.dashboard import Graph
from stacks.metrics import Metrics
from stacks.monitors.monitor import HOUR, Monitor


def catalogue_monitors(metrics: Metrics) -> list[Monitor]:
    """The monitor of the catalogue's rounds."""
    seconds = CATALOGUE_OLD / timedelta(seconds=1)
    youngest = metrics.emitted(CATALOGUE_AGE, "Minimum", period=HOUR)
    # An hour without a run counts as old, too, as does one whose runs all failed. Before the first run is no datapoint.
    filled = cloudwatch.MathExpression(
        expression=f"FILL(age, {seconds:.0f})", using_metrics={"age": youngest}, period=HOUR
    )
    old = AlarmRule(
        name="CatalogueOld",
        description="For six hours, no round of the catalogue was complete, or no run for an hour. Pulls work, but the "
        "page shows old tags: look for the error or the warnings in the watcher's log.",
        metric=filled,
        comparison=AT_LEAST,
        threshold=seconds,
        without_data=OK_WITHOUT_DATA,
    )
    line = metrics.emitted(CATALOGUE_AGE, "Maximum", label="seconds since a whole round")
    return [Monitor(Graph(title="Catalogue", lines=[line]), (old,))]
