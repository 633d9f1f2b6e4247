"""Runs the checks, in their order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import error_text
from cli.doctor.check import Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, warning
from cli.doctor.kubernetes_errors import KubernetesError, UnreachableError
from lambda_fn.contract.errors import FrontdoorError

_RIGHTS = "docs/operations.md#rights-of-doctor-and-check"


def examine_all(
    checks: Sequence[Check], contexts: Iterable[CheckContext], on_start: Callable[[str], object]
) -> Iterator[Finding]:
    """The findings of one environment after the other, each with the name of its own. Closes the contexts."""
    for context in contexts:
        with closing(context):
            for finding in examine(checks, context, partial(_start, on_start, context.environment)):
                yield replace(finding, environment=context.environment)


def _start(on_start: Callable[[str], object], environment: str, check: str) -> None:
    on_start(f"{environment}  {check}" if environment else check)


def examine(
    checks: Iterable[Check], context: CheckContext, on_start: Callable[[str], object] = lambda _: None
) -> Iterator[Finding]:
    """All findings, each as soon as it is known. Nothing is written anywhere.

    Args:
        checks: The checks in their order.
        context: What they examine.
        on_start: Called with the id of the check that works now: before each of its findings.
    """
    unmet: set[str] = set()
    for check in checks:
        if not unmet.isdisjoint(check.needs):
            unmet.add(check.id)
            continue
        on_start(check.id)
        try:
            for finding in run(check, context):
                unmet |= {check.id} if finding.fatal else set()
                yield finding
                on_start(check.id)
        except UnreachableError as error:
            # Every other check with the same need would wait for the same time-out.
            unmet |= {check.id, *check.needs}
            message = f"{error.message}; the remaining checks of the cluster did not run"
            yield _of(check, failed(message, error.hint))


def run(check: Check, context: CheckContext) -> Iterator[Finding]:
    """The findings of one check. What it could not read is a finding as well.

    Raises:
        UnreachableError: The Kubernetes API does not answer.
    """
    try:
        for finding in check.run(context):
            yield _of(check, finding)
    except UnreachableError:
        raise
    except (BotoCoreError, ClientError, KubernetesError, FrontdoorError) as error:
        yield replace(_of(check, _unread(error)), fatal=True)


def _of(check: Check, finding: Finding) -> Finding:
    return replace(finding, check=check.id, category=check.category.value, runbook=check.runbook)


def _unread(error: Exception) -> Finding:
    match error:
        case KubernetesError():
            return warning(error.message, error.hint)
        case BotoCoreError() | ClientError():
            hint = f"give your AWS identity the rights that {_RIGHTS} lists, and check the route to AWS"
            return warning(f"AWS refused the request or did not answer: {error_text(error)}", hint)
        case _:
            return failed(str(error), "correct what the message names")
