"""What is monitored: the graph and the alarms of each metric, declared side by side.

A description of an alarm says what went wrong, what it means for pulls now, and what to do; its name is the section of
the runbook.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from lambda_fn.contract.metrics import (
    CANARY_SUCCESS,
    DURATION,
    PODS_READY,
    REFRESH_SUCCEEDED,
    ROLLOUTS,
    ROLLOUTS_STUCK,
    TOKEN_SECONDS_REMAINING,
    TOKENS_WRITTEN,
)
from lambda_fn.settings.schedule import Schedule
from stacks.alarms import AT_LEAST, BELOW, KEEP_STATE, OK_WITHOUT_DATA, AlarmRule, no_success
from stacks.dashboard import Graph
from stacks.metrics import Metrics

TIMEOUT_MARGIN_SECONDS = 30
"""A run that ends this close to its time-out is reported: Lambda may stop the next one before it can report."""

_HOUR = cdk.Duration.hours(1)
# A run emits one datapoint; until the next run its value still holds.
_HOURS_LEFT = "(FILL(left + EPOCH(left), REPEAT) - EPOCH(FILL(left, REPEAT))) / 3600"


@dataclass(frozen=True)
class Monitor:
    """A graph of the dashboard with the alarms on what it shows."""

    graph: Graph
    alarms: tuple[AlarmRule, ...] = ()


def monitors(
    metrics: Metrics,
    *,
    refresh: Schedule,
    canary: Schedule | None,
    run_timeout: timedelta,
    replicas: int,
) -> list[Monitor]:
    """Everything that is monitored, in the order of the dashboard.

    Args:
        metrics: Of the installation.
        refresh: When the Lambda refreshes the token.
        canary: When the canary pulls; None without a canary.
        run_timeout: The Lambda's time-out.
        replicas: The number of proxy pods that are wanted.
    """
    return [
        _token(metrics, refresh.longest_until(1)),
        _refreshes(metrics, refresh.longest_until(2) + run_timeout),
        _rollouts(metrics),
        _errors(metrics),
        _pods(metrics, replicas),
        _duration(metrics, run_timeout),
        # Three periods, since one pull may fail.
        *([_canary(metrics, canary.longest_until(3))] if canary else []),
    ]


def _token(metrics: Metrics, next_run_within: timedelta) -> Monitor:
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
    line = _calculated(_HOURS_LEFT, left=left, label="hours")
    limit = (next_run_within / timedelta(hours=1), runs_out.name)
    return Monitor(Graph(title="Token lifetime left", lines=[line], limit=limit), (runs_out,))


def _refreshes(metrics: Metrics, success_within: timedelta) -> Monitor:
    graph = Graph(
        title="Refresh runs per hour",
        lines=[
            metrics.emitted(REFRESH_SUCCEEDED, "SampleCount", label="runs", period=_HOUR),
            metrics.emitted(REFRESH_SUCCEEDED, "Sum", label="succeeded", period=_HOUR),
        ],
    )
    failed = AlarmRule(
        name="RefreshFailed",
        description="The last refresh run failed. Pulls still work with the previous token; Lambda retries after one "
        "and two minutes, so if the alarm stays on, fix the error in the Lambda's log.",
        metric=metrics.emitted(REFRESH_SUCCEEDED, "Maximum"),
        comparison=BELOW,
        threshold=1,
        without_data=KEEP_STATE,
    )
    # A run whose rollout is stuck wrote its token: RolloutStuck reports that, not this alarm.
    missing = no_success(
        "NoRefresh",
        "No run has reported a new ECR token for two scheduled periods: runs fail or do not start. Pulls work only "
        "until the old token expires: refresh by hand, then check the schedule and the Lambda's log.",
        metrics.emitted(TOKENS_WRITTEN, "Sum", period=_whole_minutes(success_within)),
    )
    return Monitor(graph, (failed, missing))


def _rollouts(metrics: Metrics) -> Monitor:
    graph = Graph(
        title="Rollouts per hour",
        lines=[
            metrics.emitted(ROLLOUTS, "Sum", label="started", period=_HOUR),
            metrics.emitted(ROLLOUTS_STUCK, "Sum", label="stuck", period=_HOUR),
        ],
    )
    stuck = AlarmRule(
        name="RolloutStuck",
        description="New proxy pods do not become ready. Pulls work, because the old pods still serve, with the new "
        "token: fix what the error in the Lambda's log names, and drain no node until then.",
        metric=metrics.emitted(ROLLOUTS_STUCK, "Minimum"),
        comparison=AT_LEAST,
        threshold=1,
        without_data=KEEP_STATE,
    )
    return Monitor(graph, (stuck,))


def _errors(metrics: Metrics) -> Monitor:
    graph = Graph(
        title="Errors",
        lines=[
            metrics.function("Errors", "Sum", label="run errors"),
            metrics.function("AsyncEventsDropped", "Sum", label="dropped events"),
            metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum", label="in the DLQ"),
        ],
    )
    queued = AlarmRule(
        name="FailureQueued",
        description="A run failed after all retries, or Scheduler could not start it; the event and the error are in "
        "the dead-letter queue. Pulls work until the token expires: fix the cause, refresh by hand, purge the queue.",
        # SQS stops counting an idle queue after six hours; the message is still there.
        metric=metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum"),
        comparison=AT_LEAST,
        threshold=1,
        without_data=KEEP_STATE,
    )
    dropped = AlarmRule(
        name="EventDropped",
        description="Lambda dropped the event of a run: the run failed three times, or could not start for an hour. "
        "Pulls work until the token expires: look for the error in the dead-letter queue, fix it, refresh by hand.",
        metric=metrics.function("AsyncEventsDropped", "Sum"),
        comparison=AT_LEAST,
        threshold=1,
        without_data=OK_WITHOUT_DATA,
    )
    return Monitor(graph, (queued, dropped))


def _pods(metrics: Metrics, replicas: int) -> Monitor:
    ready = metrics.emitted(PODS_READY, "Minimum")
    line = _calculated("FILL(ready, REPEAT)", ready=ready, label="after the last run")
    none = AlarmRule(
        name="NoPodReady",
        description="No proxy pod was ready at the end of the last run. No client can pull: look at the Deployment "
        "and the events of its pods.",
        metric=metrics.emitted(PODS_READY, "Maximum"),
        comparison=BELOW,
        threshold=1,
        without_data=KEEP_STATE,
    )
    return Monitor(Graph(title="Ready pods", lines=[line], limit=(replicas, "proxy.replicas")), (none,))


def _duration(metrics: Metrics, run_timeout: timedelta) -> Monitor:
    took = metrics.emitted(DURATION, "Maximum")
    graph = Graph(title="Run duration", lines=[_calculated("took / 1000", took=took, label="seconds")])
    too_long = AlarmRule(
        name="RunTooLong",
        description=f"A run ended less than {TIMEOUT_MARGIN_SECONDS} s before the Lambda's time-out, or was stopped by "
        "it. Pulls still work, but the next run may not finish: raise refresh.rollout_timeout_seconds if pods start "
        "slowly, otherwise look for retries in the Lambda's log.",
        metric=metrics.function("Duration", "Maximum"),
        comparison=AT_LEAST,
        threshold=int(run_timeout.total_seconds() - TIMEOUT_MARGIN_SECONDS) * 1000,
        without_data=OK_WITHOUT_DATA,
    )
    return Monitor(graph, (too_long,))


def _canary(metrics: Metrics, success_within: timedelta) -> Monitor:
    graph = Graph(
        title="Canary pulls per hour",
        lines=[
            metrics.emitted(CANARY_SUCCESS, "SampleCount", label="pulls", period=_HOUR),
            metrics.emitted(CANARY_SUCCESS, "Sum", label="succeeded", period=_HOUR),
        ],
    )
    # A schedule that no longer runs counts as failures do.
    failed = no_success(
        "CanaryFailed",
        "No pull check through the domain has succeeded for three canary periods: the pulls fail or do not start. "
        "Clients probably cannot pull: look for the failed step in the Lambda's log.",
        metrics.emitted(CANARY_SUCCESS, "Sum", period=_whole_minutes(success_within)),
    )
    return Monitor(graph, (failed,))


def _calculated(expression: str, *, label: str, **metrics: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=metrics, label=label, period=cdk.Duration.minutes(5)
    )


def _whole_minutes(span: timedelta) -> cdk.Duration:
    """The periods of CloudWatch are whole minutes."""
    return cdk.Duration.minutes(ceil(span / timedelta(minutes=1)))
