"""What CloudWatch counts of a run, in embedded metric format on standard output."""

from datetime import datetime

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambda_fn.job.report import Report, RolloutStuckError
from lambda_fn.settings import Settings

NAMESPACE = "EcrFrontdoor"
SERVICE = "ecr-frontdoor"


def emit(
    settings: Settings,
    report: Report | None,
    *,
    expires_at: datetime | None,
    started_at: datetime,
    ended_at: datetime,
    failure: BaseException | None,
) -> None:
    """One set of metrics, with the domain, the cluster and the namespace as dimensions.

    Args:
        settings: For the dimensions.
        report: What the run did; None when it failed before all was written, or before it saw how its rollout ended.
        expires_at: When the token in the cluster dies, as far as it is known after this run; None when it is not, and
            nothing is counted: any number would be made up. `NoRefresh` sees such runs.
        started_at: When it began.
        ended_at: When it was over.
        failure: What it raised; None when it succeeded.
    """
    metrics = _of(settings)
    metrics.add_metric("RefreshSucceeded", MetricUnit.Count, int(failure is None))
    # A run that failed and has a report wrote its token, and its rollout did not end well.
    metrics.add_metric("TokensWritten", MetricUnit.Count, int(report is not None))
    metrics.add_metric("DurationMilliseconds", MetricUnit.Milliseconds, _milliseconds(started_at, ended_at))
    if expires_at:
        metrics.add_metric("TokenSecondsRemaining", MetricUnit.Seconds, (expires_at - ended_at).total_seconds())
    if report:
        metrics.add_metric("RolloutsStuck", MetricUnit.Count, int(isinstance(failure, RolloutStuckError)))
        metrics.add_metric("PodsReady", MetricUnit.Count, report.pods_ready)
        metrics.add_metric("Rollouts", MetricUnit.Count, int(report.rolled_out))
    metrics.flush_metrics()


def emit_canary(settings: Settings, seconds: float | None) -> None:
    """What became of the canary's pull: how long it took, None when it failed."""
    metrics = _of(settings)
    metrics.add_metric("CanarySuccess", MetricUnit.Count, int(seconds is not None))
    if seconds is not None:
        metrics.add_metric("CanarySeconds", MetricUnit.Seconds, seconds)
    metrics.flush_metrics()


def _of(settings: Settings) -> Metrics:
    metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
    metrics.add_dimension("Domain", settings.domain)
    metrics.add_dimension("Cluster", settings.cluster.name)
    metrics.add_dimension("Namespace", settings.cluster.namespace)
    return metrics


def _milliseconds(started_at: datetime, ended_at: datetime) -> int:
    return round((ended_at - started_at).total_seconds() * 1000)
