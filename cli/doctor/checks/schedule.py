"""Whether the schedules of the refresh and of the canary exist, are enabled, and are those of the settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from lambda_fn.settings.schedule import Schedule

_TYPE = "AWS::Scheduler::Schedule"
_CANARY_CONSTRUCT = "ScheduleCanary"
"""How the logical id of the canary's schedule begins, after the construct that makes it. The other is the refresh's."""

_ENABLE = (
    "enable it in EventBridge Scheduler (a deployment does not see the change); CloudTrail shows it as UpdateSchedule"
)
_CREATE = "create it again with the same name and group, as cdk synth shows it (a deployment does not see the deletion)"


@dataclass(frozen=True, slots=True)
class _Expected:
    """One schedule, as the settings define it.

    Attributes:
        job: What it starts.
        names: Its name; empty where the stack has none.
        schedule: When it runs.
        consequence: What does not happen without it.
        report: `failed` or `warning`, for a schedule that does not run.
    """

    job: str
    names: list[str]
    schedule: Schedule
    consequence: str
    report: Callable[[str, str], Finding]


def run(context: CheckContext) -> Iterator[Finding]:
    """The refresh's schedule, without which pulls fail within hours, then the canary's."""
    settings, stack = context.settings, context.stack
    canaries = stack.of(_TYPE, _CANARY_CONSTRUCT)
    refreshes = [name for name in stack.of(_TYPE) if name not in canaries]
    group = next(iter(stack.of("AWS::Scheduler::ScheduleGroup")), None)
    token = "nothing renews the token, which expires 12 hours after the last refresh"  # noqa: S105 - a consequence
    client = context.client("scheduler")
    yield _finding(client, group, _Expected("refresh", refreshes, settings.refresh.schedule, token, failed))
    if settings.canary:
        pulls = "between two refreshes nothing tests pulls through the domain"
        yield _finding(client, group, _Expected("canary", canaries, settings.canary.schedule, pulls, warning))


def _finding(client: Any, group: str | None, expected: _Expected) -> Finding:  # noqa: ANN401 - boto3's clients are made at run time
    if not expected.names:
        return _not_in_stack(expected)
    name, job = expected.names[0], expected.job
    found = get_or_none(client.get_schedule, Name=name, **({"GroupName": group} if group else {}))
    if found is None:
        return expected.report(f"schedule {name} of the {job} does not exist any more: {expected.consequence}", _CREATE)
    if found.get("State", "ENABLED") != "ENABLED":
        return expected.report(f"schedule {name} of the {job} is disabled: {expected.consequence}", _ENABLE)
    if found["ScheduleExpression"] != expected.schedule.expression:
        return warning(
            f"the {job} runs at {found['ScheduleExpression']}, but this file says {expected.schedule.description}",
            "deploy, if the file is newer; otherwise change the schedule back in EventBridge Scheduler",
        )
    return ok(f"the {job} runs {expected.schedule.description}")


def _not_in_stack(expected: _Expected) -> Finding:
    if expected.report is failed:
        # A first deployment creates it last. If that failed, the stack's status shows it.
        return skipped(f"the stack has no schedule for the {expected.job}: its first deployment ended before that")
    return expected.report(f"the stack has no schedule for the {expected.job}: {expected.consequence}", "deploy")


CHECK = Check("schedule", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#norefresh")
