"""The monitor of the canary: pulls through the registry's domain, as a client does."""

from datetime import timedelta

from lambda_fn.contract.metrics import CANARY_SUCCESS
from lambda_fn.settings.schedule import Schedule
from stacks.alarms import no_success
from stacks.dashboard import Graph
from stacks.metrics import Metrics
from stacks.monitors.monitor import HOUR, Monitor, whole_minutes


def canary_monitors(metrics: Metrics, canary: Schedule) -> list[Monitor]:
    """The monitor of a canary with this schedule."""
    # Three periods, because one pull may fail.
    return [_pulls(metrics, canary.longest_until(3))]


def _pulls(metrics: Metrics, success_within: timedelta) -> Monitor:
    graph = Graph(
        title="Canary pulls per hour",
        lines=[
            metrics.emitted(CANARY_SUCCESS, "SampleCount", label="pulls", period=HOUR),
            metrics.emitted(CANARY_SUCCESS, "Sum", label="succeeded", period=HOUR),
        ],
    )
    # A schedule that no longer runs counts as failures do.
    failed = no_success(
        "CanaryFailed",
        "No pull check through the domain has succeeded for three canary periods: the pulls fail or do not start. "
        "Clients probably cannot pull: look for the failed step in the Lambda's log.",
        metrics.emitted(CANARY_SUCCESS, "Sum", period=whole_minutes(success_within)),
    )
    return Monitor(graph, (failed,))
