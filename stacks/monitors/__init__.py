"""What is monitored: the graph and the alarms of each metric, declared side by side.

A description of an alarm gives the cause, its effect on pulls, and the fix; its name is the section of the runbook.
"""

from datetime import timedelta

from lambda_fn.settings.schedule import Schedule
from stacks.metrics import Metrics
from stacks.monitors.canary import canary_monitors
from stacks.monitors.catalogue import catalogue_monitors
from stacks.monitors.monitor import Monitor
from stacks.monitors.runs import run_monitors
from stacks.monitors.token import token_monitors
from stacks.monitors.watcher import watcher_monitors

__all__ = ["Monitor", "catalogue_monitors", "monitors", "watcher_monitors"]


def monitors(
    metrics: Metrics,
    *,
    refresh: Schedule,
    canary: Schedule | None,
    run_timeout: timedelta,
    replicas: int,
    partition: str,
) -> list[Monitor]:
    """Everything that is monitored, in the order of the dashboard.

    Args:
        metrics: Of the installation.
        refresh: When the Lambda refreshes the token.
        canary: When the canary pulls; None without a canary.
        run_timeout: The Lambda's time-out.
        replicas: The number of proxy pods that are wanted.
        partition: Of AWS; not every partition has every metric.
    """
    return [
        *token_monitors(metrics, refresh=refresh, run_timeout=run_timeout),
        *run_monitors(metrics, run_timeout=run_timeout, replicas=replicas, partition=partition),
        *(canary_monitors(metrics, canary) if canary else []),
    ]
