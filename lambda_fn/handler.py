"""The Lambda's entry point: settings and edges in, one refresh, its report, log and metrics out."""

import logging
import os
from contextlib import closing
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_fn.contract.errors import CanaryError, FrontdoorError
from lambda_fn.edges import metrics
from lambda_fn.edges.canary import Canary
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.ecr import Ecr
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.kubernetes_api import KubernetesApi
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.job import event as events
from lambda_fn.job.expiry import KnownExpiry
from lambda_fn.job.refresh import refresh
from lambda_fn.job.report import Report, RolloutError
from lambda_fn.settings import ENVIRONMENT_NAME, Settings, parse_environment

logger = Logger(service=metrics.SERVICE)

_REPORT_SECONDS = 5
"""Kept back from the canary's pull, to say what became of it before the invocation is ended."""

# botocore logs whole answers at DEBUG, tokens included; a log level set on the function must not turn that on.
for _library in ("boto3", "botocore", "urllib3", "httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """One refresh.

    Args:
        event: EventBridge's scheduled event, `{}`, or an object of the options in `lambda_fn.job.event`.
        context: The Lambda context.

    Returns:
        The `Report` as JSON, and under `canary` what became of the canary's pull.

    Raises:
        FrontdoorError: The run failed, and the invocation with it; logged as one line that says what to do.
    """
    clock = LambdaClock(context)
    try:
        return _run(event, clock)
    except FrontdoorError as error:
        logger.error(  # noqa: TRY400 - its message says all; a stack trace would bury it
            str(error), error=type(error).__name__, exc_info=logger.log_level <= logging.DEBUG
        )
        raise
    except Exception:
        logger.exception("unexpected error: this is a defect of ecr-frontdoor")
        raise


def _run(event: object, clock: LambdaClock) -> dict[str, Any]:
    settings, ecr, eks, expiry = _edges(os.environ.get(ENVIRONMENT_NAME))
    request = events.parse(event)
    if request.canary:
        return {"canary": _pull_canary(settings, clock)}
    report = _refresh(settings, request, ecr, eks, expiry, clock)
    # After the refresh, whose success it never touches: a credential that is fresh stays so, whoever cannot pull.
    pulls = settings.canary is not None and not request.dry_run
    return report.to_json() | ({"canary": _pull_canary(settings, clock)} if pulls else {})


def _pull_canary(settings: Settings, clock: LambdaClock) -> dict[str, Any]:
    """What became of the canary's pull. A failed one is a metric and an error in the log, and not a failed invocation.

    Lambda would repeat that, refresh and all, and then keep an event that nobody needs: the next pull is minutes away.
    """
    canary = Canary(settings)
    try:
        seconds = canary.pull(allowed_seconds=clock.remaining_seconds() - _REPORT_SECONDS)
    except CanaryError as error:
        logger.error(str(error), error=type(error).__name__)  # noqa: TRY400 - its message says all
        metrics.emit_canary(settings, None)
        return {"succeeded": False, "message": str(error)}
    metrics.emit_canary(settings, seconds)
    return {"succeeded": True, "seconds": round(seconds, 3)}


def _refresh(
    settings: Settings, request: events.Request, ecr: Ecr, eks: Eks, expiry: KnownExpiry, clock: LambdaClock
) -> Report:
    started_at = clock.now()
    report: Report | None = None
    failure: BaseException | None = None
    try:
        connection = eks.connect()
        with closing(KubernetesSession(settings, connection, eks, clock)) as session:
            cluster = KubernetesApi(settings, session)
            try:
                report = refresh(
                    settings, request, resolver=connection.resolver, registry=ecr, cluster=cluster, clock=clock
                )
            except RolloutError as error:
                report = error.report
                raise
            except FrontdoorError:
                expiry.look(cluster, clock)
                raise
    except BaseException as error:
        failure = error
        raise
    finally:
        _log(report)
        # A dry run leaves the token in the cluster as it is: numbers about its own token would be wrong ones.
        if not request.dry_run:
            if report:
                expiry.at = report.expires_at
            metrics.emit(
                settings,
                report,
                expires_at=expiry.at,
                started_at=started_at,
                ended_at=clock.now(),
                failure=failure,
            )
    return report


@cache
def _edges(environment: str | None) -> tuple[Settings, Ecr, Eks, KnownExpiry]:
    """The settings, the clients made of them, and what is known of the token: kept while the Lambda stays warm."""
    settings = parse_environment({} if environment is None else {ENVIRONMENT_NAME: environment})
    return settings, Ecr(), Eks(settings), KnownExpiry()


def _log(report: Report | None) -> None:
    if not report:
        return
    for warning in report.warnings:
        logger.warning(warning)
    for fields in report.taken_over:
        logger.warning("another field manager's change is undone", fields=fields)
    logger.info("refresh", report=report.to_json())
