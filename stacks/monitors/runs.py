"""Monitors of each run: the rollout that it waits for, its errors, the pods it leaves, its duration."""

from datetime import timedelta

from aws_cdk import aws_cloudwatch as cloudwatch

from lambda_fn.contract.metrics import DURATION, PODS_KILLED, PODS_READY, ROLLOUTS, ROLLOUTS_STUCK
from stacks.alarms import AT_LEAST, BELOW, KEEP_STATE, OK_WITHOUT_DATA, AlarmRule, has_messages
from stacks.dashboard import Graph
from stacks.metrics import Metrics
from stacks.monitors.monitor import HOUR, Monitor, calculated

TIMEOUT_MARGIN_SECONDS = 30
"""A run that ends this close to its time-out is reported: Lambda may stop the next one before it can report."""


_WITHOUT_DROPPED_EVENTS = frozenset({"aws-cn"})
"""Partitions whose Lambda has no metric `AsyncEventsDropped`."""


def run_monitors(metrics: Metrics, *, run_timeout: timedelta, replicas: int, partition: str) -> list[Monitor]:
    """The monitors of the runs, in the order of the dashboard."""
    return [_rollouts(metrics), _errors(metrics, partition), _pods(metrics, replicas), _duration(metrics, run_timeout)]


def _rollouts(metrics: Metrics) -> Monitor:
    graph = Graph(
        title="Rollouts per hour",
        lines=[
            metrics.emitted(ROLLOUTS, "Sum", label="started", period=HOUR),
            metrics.emitted(ROLLOUTS_STUCK, "Sum", label="stuck", period=HOUR),
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


def _errors(metrics: Metrics, partition: str) -> Monitor:
    # A dropped event is sent to the queue, and `FailureQueued` reports it: left is what does not reach the queue.
    counted, label, cause, look = (
        ("DestinationDeliveryFailures", "lost events", "could not send to the dead-letter queue", "function's log")
        if partition in _WITHOUT_DROPPED_EVENTS
        else ("AsyncEventsDropped", "dropped events", "dropped", "dead-letter queue")
    )
    graph = Graph(
        title="Errors",
        lines=[
            metrics.function("Errors", "Sum", label="run errors"),
            metrics.function(counted, "Sum", label=label),
            metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum", label="in the DLQ"),
        ],
    )
    queued = has_messages(
        "FailureQueued",
        "A run failed after all retries, or Scheduler could not start it; the event and the error are in "
        "the dead-letter queue. Pulls work until the token expires: fix the cause, refresh by hand, purge the queue.",
        metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum"),
    )
    dropped = AlarmRule(
        name="EventDropped",
        description=f"Lambda {cause} the event of a run: the run failed three times, or could not start for an hour. "
        f"Pulls work until the token expires: look for the error in the {look}, fix it, refresh by hand.",
        metric=metrics.function(counted, "Sum"),
        comparison=AT_LEAST,
        threshold=1,
        without_data=OK_WITHOUT_DATA,
    )
    return Monitor(graph, (queued, dropped))


def _pods(metrics: Metrics, replicas: int) -> Monitor:
    ready = metrics.emitted(PODS_READY, "Minimum")
    lines: list[cloudwatch.IMetric] = [
        calculated("FILL(ready, REPEAT)", ready=ready, label="after the last run"),
        metrics.emitted(PODS_KILLED, "Maximum", label="evicted or out of memory"),
    ]
    none = AlarmRule(
        name="NoPodReady",
        description="No proxy pod was ready at the end of the last run. No client can pull: look at the Deployment "
        "and the events of its pods.",
        metric=metrics.emitted(PODS_READY, "Maximum"),
        comparison=BELOW,
        threshold=1,
        without_data=KEEP_STATE,
    )
    killed = AlarmRule(
        name="PodsKilled",
        description="Since the run before, a proxy pod was evicted, or killed at its memory limit. Other pods serve, "
        "but pulls in progress there were cut off: look for the reason in the warnings of the Lambda's log.",
        metric=metrics.emitted(PODS_KILLED, "Maximum"),
        comparison=AT_LEAST,
        threshold=1,
        without_data=KEEP_STATE,
    )
    return Monitor(Graph(title="Ready pods", lines=lines, limit=(replicas, "proxy.replicas")), (none, killed))


def _duration(metrics: Metrics, run_timeout: timedelta) -> Monitor:
    took = metrics.emitted(DURATION, "Maximum")
    graph = Graph(title="Run duration", lines=[calculated("took / 1000", took=took, label="seconds")])
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
