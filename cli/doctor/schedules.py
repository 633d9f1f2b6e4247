"""What starts the refresh and the canary: whether it is there, on, and as often as the settings say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine, skipped, warning
from cli.doctor.site import Site
from cli.doctor.stack import Resources
from lambda_fn.settings import Schedule

_CHECK = "schedule"
_KIND = "AWS::Scheduler::Schedule"
_CANARY = "ScheduleCanary"
"""How its logical id begins, after the constructs that make it; the other one is the refresh's."""

_ENABLE = (
    "enable it in EventBridge Scheduler, for a deployment sees no change; CloudTrail (UpdateSchedule) says who did it"
)
_MAKE = (
    "make it again under this name and in its group, as cdk synth shows it: a deployment does not see that it is gone"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One schedule, as the settings want it.

    Attributes:
        what: What it starts.
        names: What it is called; nothing where the stack has none.
        schedule: When it has to run.
        without: What becomes of a front door without it.
        report: How bad that is.
    """

    what: str
    names: list[str]
    schedule: Schedule
    without: str
    report: Callable[[str, str, str], Finding]


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The refresh's schedule, without which pulls fail within hours, then the canary's."""
    refresh, canary = site.settings.refresh, site.settings.canary
    canaries = found.of(_KIND, _CANARY)
    refreshes = [name for name in found.of(_KIND) if name not in canaries]
    token = "nothing renews the token, which dies 12 hours after the last refresh"  # noqa: S105 - a consequence
    nobody = "between two refreshes nobody looks at the registry from outside"
    yield _examined(site, found, _Wanted("refresh", refreshes, refresh.schedule, token, failure))
    if canary:
        yield _examined(site, found, _Wanted("canary", canaries, canary.schedule, nobody, warning))


def _examined(site: Site, found: Resources, wanted: _Wanted) -> Finding:
    what = wanted.what
    names, groups = wanted.names, found.of("AWS::Scheduler::ScheduleGroup")
    if not names:
        return _unmade(wanted)
    client = site.aws.client("scheduler", config=site.briefly)
    schedule = known(client.get_schedule, Name=names[0], **({"GroupName": groups[0]} if groups else {}))
    if schedule is None:
        return wanted.report(_CHECK, f"the {what}'s schedule {names[0]} is gone: {wanted.without}", _MAKE)
    if schedule.get("State", "ENABLED") != "ENABLED":
        return wanted.report(_CHECK, f"the {what}'s schedule {names[0]} is disabled: {wanted.without}", _ENABLE)
    if schedule["ScheduleExpression"] != wanted.schedule.expression:
        said = f"the {what} runs at {schedule['ScheduleExpression']}, and this file says {wanted.schedule.description}"
        return warning(
            _CHECK, said, "deploy if the file is newer; otherwise somebody changed the schedule: change it back"
        )
    return fine(_CHECK, f"the {what} runs {wanted.schedule.description}")


def _unmade(wanted: _Wanted) -> Finding:
    if wanted.report is failure:
        # It is the last thing a first deployment makes: where that failed, the stack's status has said so.
        return skipped(_CHECK, f"the stack lists none for the {wanted.what}: its first deployment did not get that far")
    return wanted.report(_CHECK, f"the stack has no schedule for the {wanted.what}: {wanted.without}", "deploy")
