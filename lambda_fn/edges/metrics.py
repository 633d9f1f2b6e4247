"""CloudWatch's metrics, in embedded metric format on standard output."""

from collections.abc import Iterable, Mapping

from aws_lambda_powertools import Metrics

from lambda_fn.contract.metrics import (
    NAMESPACE,
    OF_CATALOGUE,
    OF_PULL,
    OF_ROLLOUT,
    OF_RUN,
    SERVICE,
    CatalogueRun,
    Metric,
    Pull,
    Rollout,
    Run,
    Source,
)


def emit(dimensions: Mapping[str, str], run: Run, rollout: Rollout | None) -> None:
    """The metrics of one refresh, as one set.

    Args:
        dimensions: Those of the installation.
        run: The run.
        rollout: What it saw of the Deployment; None when it failed before, and nothing is known of it.
    """
    metrics = _new_metrics(dimensions)
    _add(metrics, OF_RUN, run)
    if rollout:
        _add(metrics, OF_ROLLOUT, rollout)
    metrics.flush_metrics()


def emit_canary(dimensions: Mapping[str, str], pull: Pull) -> None:
    """The metrics of one pull of the canary."""
    metrics = _new_metrics(dimensions)
    _add(metrics, OF_PULL, pull)
    metrics.flush_metrics()


def emit_catalogue(dimensions: Mapping[str, str], run: CatalogueRun) -> None:
    """The metrics of one run of the catalogue."""
    metrics = _new_metrics(dimensions)
    _add(metrics, OF_CATALOGUE, run)
    metrics.flush_metrics()


def _new_metrics(dimensions: Mapping[str, str]) -> Metrics:
    metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    return metrics


def _add(metrics: Metrics, wanted: Iterable[Metric[Source]], source: Source) -> None:
    for metric in wanted:
        value = metric.value(source)
        if value is not None:
            metrics.add_metric(metric.name, metric.unit.value, value)
