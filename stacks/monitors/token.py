"""Monitors of the token: its lifetime, and the runs that refresh it."""

from datetime import timedelta

from lambda_fn.contract.metrics import REFRESH_SUCCEEDED, TOKEN_SECONDS_REMAINING, TOKENS_WRITTEN
from lambda_fn.settings.schedule import Schedule
from stacks.alarms import BELOW, KEEP_STATE, AlarmRule, no_success
from stacks.dashboard import Graph
from stacks.metrics import Metrics
from stacks.monitors.monitor import HOUR, Monitor, calculated, whole_minutes

# A run emits one datapoint; until the next run its value still holds.
_HOURS_LEFT = "(FILL(left + EPOCH(left), REPEAT) - EPOCH(FILL(left, REPEAT))) / 3600"


def token_monitors(metrics: Metrics, *, refresh: Schedule, run_timeout: timedelta) -> list[Monitor]:
    """The monitors of the token, in the order of the dashboard."""
    return [
        _lifetime(metrics, refresh.longest_until(1)),
        _refreshes(metrics, refresh.longest_until(2) + run_timeout),
    ]


def _lifetime(metrics: Metrics, next_run_within: timedelta) -> Monitor:
    """The lifetime of the token at every moment, and not only at the end of a run."""
    left = metrics.emitted(TOKEN_SECONDS_REMAINING, "Maximum")
    runs_out = AlarmRule(
        name="TokenRunsOut",
        description="The ECR token in the cluster may expire before the next scheduled run. Pulls work until then and "
        "fail afterwards: refresh by hand now, and fix what made the earlier runs fail.",
        metric=left,
        comparison=BELOW,
        threshold=int(next_run_within.total_seconds()),
        without_data=KEEP_STATE,
    )
    line = calculated(_HOURS_LEFT, left=left, label="hours")
    limit = (next_run_within / timedelta(hours=1), runs_out.name)
    return Monitor(Graph(title="Token lifetime left", lines=[line], limit=limit), (runs_out,))


def _refreshes(metrics: Metrics, success_within: timedelta) -> Monitor:
    graph = Graph(
        title="Refresh runs per hour",
        lines=[
            metrics.emitted(REFRESH_SUCCEEDED, "SampleCount", label="runs", period=HOUR),
            metrics.emitted(REFRESH_SUCCEEDED, "Sum", label="succeeded", period=HOUR),
        ],
    )
    failed = AlarmRule(
        name="RefreshFailed",
        description="The last refresh run failed. Pulls work while the tokens in the Secret are valid; Lambda retries "
        "after one and two minutes, so if the alarm stays on, fix the error in the Lambda's log.",
        metric=metrics.emitted(REFRESH_SUCCEEDED, "Maximum"),
        comparison=BELOW,
        threshold=1,
        without_data=KEEP_STATE,
    )
    # A run whose rollout is stuck wrote its token: RolloutStuck reports that, not this alarm.
    missing = no_success(
        "NoRefresh",
        "No run has reported a new token for every region for two scheduled periods: a region gives none, or runs "
        "fail or do not start. Pulls work only until the old tokens expire: refresh by hand, then check the Lambda's "
        "log and the schedule.",
        metrics.emitted(TOKENS_WRITTEN, "Sum", period=whole_minutes(success_within)),
    )
    return Monitor(graph, (failed, missing))
