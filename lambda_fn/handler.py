"""The Lambda's entry point: settings and edges in, one refresh, its report, log and metrics out."""

import os
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_fn.contract import kubectl
from lambda_fn.contract.errors import CanaryError, FrontdoorError, SettingsError
from lambda_fn.contract.metrics import Pull, Rollout, Run, dimensions
from lambda_fn.contract.objects import refresher_role
from lambda_fn.contract.runtime import TASK_ROOT
from lambda_fn.edges import metrics, settings_file
from lambda_fn.edges.canary import Canary
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.ecr import Ecr
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.kubernetes_api import KubernetesApi
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.edges.kubernetes_version import version_of
from lambda_fn.edges.log import errors_to, new_logger
from lambda_fn.job import event as events
from lambda_fn.job.api_error import Grant
from lambda_fn.job.expiry import KnownExpiry
from lambda_fn.job.refresh import refresh
from lambda_fn.job.report import Report, ReportedError, RolloutStuckError, UnfinishedError
from lambda_fn.settings.models import Settings

logger = new_logger()

_CANARY_REPORT_SECONDS = 5
"""Kept of the invocation's time after the canary's pull, to report its result."""


@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """One refresh.

    Args:
        event: EventBridge's scheduled event, `{}`, or an object of the options in `lambda_fn.job.event`.
        context: The Lambda context.

    Returns:
        The `Report` as JSON, and under `canary` the result of the canary's pull.

    Raises:
        FrontdoorError: The run failed, and the invocation with it; logged as one line with cause, state and fix.
    """
    clock = LambdaClock(context)
    with errors_to(logger):
        return _run(event, clock)


def _run(event: object, clock: LambdaClock) -> dict[str, Any]:
    settings, ecr, eks, expiry = _edges(Path(os.environ.get(TASK_ROOT, ".")))
    request = events.parse(event)
    if request.canary:
        return {"canary": _pull_canary(settings, clock)}
    report = _refresh(settings, request, ecr, eks, expiry, clock)
    # After the refresh, and without an effect on its success: a new token stays in use, even if the pull fails.
    pulls = settings.canary is not None and not request.dry_run
    return report.to_json() | ({"canary": _pull_canary(settings, clock)} if pulls else {})


def _pull_canary(settings: Settings, clock: LambdaClock) -> dict[str, Any]:
    """The result of the canary's pull. A failed one is a metric and an error in the log, and not a failed invocation.

    Lambda would repeat a failed invocation, refresh and all, and then send its event to the dead-letter queue, although
    the next pull is minutes away.

    Raises:
        SettingsError: The settings have no canary.
    """
    if settings.canary is None:
        raise SettingsError("[canary] is not set. Fix: set canary.repository and canary.reference, and deploy")
    redirects = settings.proxy.blobs == "redirect"
    canary = Canary(settings.canary, domain=settings.domain, may_redirect_blobs=redirects)
    try:
        seconds = canary.pull(allowed_seconds=clock.remaining_seconds() - _CANARY_REPORT_SECONDS)
    except CanaryError as error:
        logger.error(str(error), error=type(error).__name__)  # noqa: TRY400 - its message is complete
        metrics.emit_canary(_dimensions(settings), Pull(seconds=None))
        return {"succeeded": False, "message": str(error)}
    metrics.emit_canary(_dimensions(settings), Pull(seconds=seconds))
    return {"succeeded": True, "seconds": round(seconds, 3)}


def _refresh(
    settings: Settings, request: events.Request, ecr: Ecr, eks: Eks, expiry: KnownExpiry, clock: LambdaClock
) -> Report:
    started_at = clock.now()
    report: Report | None = None
    failure: BaseException | None = None
    try:
        report = _connected(settings, request, ecr, eks, expiry, clock)
    except ReportedError as error:
        report, failure = error.report, error
        raise
    except BaseException as error:
        failure = error
        raise
    finally:
        _log(report)
        # A dry run leaves the tokens in the cluster as they are: metrics of its own tokens would be wrong.
        if not request.dry_run:
            if report:
                expiry.at = report.expires_at
            ended_at = clock.now()
            run = Run(
                succeeded=failure is None,
                token_written=report is not None and not report.stale_regions,
                seconds=(ended_at - started_at).total_seconds(),
                token_seconds_remaining=(expiry.at - ended_at).total_seconds() if expiry.at else None,
            )
            metrics.emit(_dimensions(settings), run, _rollout(report, failure))
    return report


def _connected(
    settings: Settings, request: events.Request, ecr: Ecr, eks: Eks, expiry: KnownExpiry, clock: LambdaClock
) -> Report:
    """The refresh, with a connection to the cluster of its own."""
    names, namespace = settings.names, settings.cluster.namespace
    grant = Grant(namespace, refresher_role(names.workload), settings.refresher_group)
    connection = eks.connect()
    too_far = None if settings.manifests == "external" else kubectl.unsupported(version_of(connection, eks.bearer))
    if too_far:
        logger.warning(too_far)
    with closing(KubernetesSession(grant, connection, eks, clock)) as session:
        cluster = KubernetesApi(names, namespace, session)
        try:
            return refresh(settings, request, resolver=connection.resolver, registry=ecr, cluster=cluster, clock=clock)
        except ReportedError:
            raise
        except FrontdoorError:
            expiry.ask(cluster, clock)
            raise


def _rollout(report: Report | None, failure: BaseException | None) -> Rollout | None:
    """What the run saw of the Deployment; None when it failed before."""
    if report is None or report.config_sha256 is None or isinstance(failure, UnfinishedError):
        return None
    stuck = isinstance(failure, RolloutStuckError)
    return Rollout(started=report.rolled_out, stuck=stuck, pods_ready=report.pods_ready, pods_killed=report.pods_killed)


def _dimensions(settings: Settings) -> Mapping[str, str]:
    cluster = settings.cluster
    return dimensions(domain=settings.domain, cluster=cluster.name, namespace=cluster.namespace)


@cache
def _edges(bundle: Path) -> tuple[Settings, Ecr, Eks, KnownExpiry]:
    """The settings, the clients made of them, and the known expiry of the token: reused while the Lambda is warm."""
    settings = settings_file.read(bundle)
    return settings, Ecr(), Eks(settings.cluster, settings.proxy.resolver), KnownExpiry()


def _log(report: Report | None) -> None:
    if not report:
        return
    for warning in report.warnings:
        logger.warning(warning)
    for fields in report.taken_over:
        logger.warning("the run took back another field manager's change", fields=fields)
    logger.info("refresh", report=report.to_json())
