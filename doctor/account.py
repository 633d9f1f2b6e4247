"""What the deploy made in AWS: the stack, the function, its rights, the schedule, the failure queue, the alarms."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from doctor import rights
from doctor.asking import asked
from doctor.finding import Finding, failure, fine, warning
from doctor.site import ASKED_BRIEFLY, Site
from doctor.stack import Resources, resources
from lambda_fn.settings import to_environment
from stacks.stack_name import stack_name

_DEPLOY = "deploy (README, Deploy it)"


def examine(site: Site) -> Iterator[Finding]:
    """Who asks, then what the stack holds. The other parts do not depend on it."""
    try:
        caller = site.aws.client("sts", config=ASKED_BRIEFLY).get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError) as error:
        yield failure("aws", f"AWS does not know you: {error}", "log in, or name a profile: --profile NAME")
        return
    yield fine("aws", f"you are {caller}")
    name = stack_name(site.settings)
    found = resources(site, name)
    if found is None:
        yield failure("stack", f"there is no stack {name} in {site.settings.cluster.region}", _DEPLOY)
        return
    yield _stack(name, found)
    yield from asked("function", _function(site, found))
    yield from asked("rights", rights.examine(site, found))
    yield from asked("schedule", schedules(site, found))
    yield from asked("failures", failures(site, found))
    yield from asked("alarms", alarms(site, found))


def _stack(name: str, found: Resources) -> Finding:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
    if found.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return fine("stack", f"{name} is {found.status}")
    if found.status.endswith("_IN_PROGRESS"):
        return warning("stack", f"{name} is {found.status}", "wait until it is over, then look again")
    mend = f"read its events, correct what failed, {_DEPLOY}"
    # A stack whose first deployment failed holds nothing, and has to be deleted before the next one.
    if found.status == "ROLLBACK_COMPLETE" or found.status.endswith("_FAILED"):
        return failure("stack", f"{name} is {found.status}", mend)
    return warning("stack", f"{name} is {found.status}: an update was taken back", mend)


def _function(site: Site, found: Resources) -> Iterator[Finding]:
    wanted = to_environment(site.settings)
    seen = False
    for name in found.of("AWS::Lambda::Function"):
        configuration = site.aws.client("lambda", config=ASKED_BRIEFLY).get_function_configuration(FunctionName=name)
        deployed = configuration.get("Environment", {}).get("Variables", {})
        if not wanted.keys() <= deployed.keys():
            continue  # CDK's own helpers have no settings.
        seen = True
        if wanted.items() <= deployed.items():
            yield fine("function", f"{name} runs with this settings file")
        else:
            yield warning(
                "function", f"{name} runs with other settings than this file's", f"{_DEPLOY}, or give --config"
            )
    if not seen:
        yield failure("function", "the stack has no function with settings", _DEPLOY)


def schedules(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether each schedule is enabled."""
    client = site.aws.client("scheduler", config=ASKED_BRIEFLY)
    groups = found.of("AWS::Scheduler::ScheduleGroup")
    for name in found.of("AWS::Scheduler::Schedule"):
        group = {"GroupName": groups[0]} if groups else {}
        schedule = client.get_schedule(Name=name, **group)
        said = f"{schedule['ScheduleExpression']} is {schedule.get('State', 'ENABLED')}"
        if schedule.get("State", "ENABLED") == "ENABLED":
            yield fine("schedule", said)
        else:
            yield failure("schedule", f"{said}: the token dies within 12 hours", "enable it, and find out who did this")


def failures(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether a run has failed for good."""
    client = site.aws.client("sqs", config=ASKED_BRIEFLY)
    for url in found.of("AWS::SQS::Queue"):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        waiting = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
        if waiting:
            yield warning(
                "failures",
                f"{waiting} failed run(s) in {url.rsplit('/', 1)[-1]}",
                "read the function's log of that time, then purge the queue",
            )
        else:
            yield fine("failures", "no failed run is in the queue")


def alarms(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether an alarm is raised."""
    names = found.of("AWS::CloudWatch::Alarm")
    if not names:
        return
    listed = site.aws.client("cloudwatch", config=ASKED_BRIEFLY).describe_alarms(AlarmNames=names)["MetricAlarms"]
    raised = [alarm for alarm in listed if alarm["StateValue"] == "ALARM"]
    for alarm in raised:
        yield warning("alarms", f"{alarm['AlarmName']} is raised", alarm.get("AlarmDescription", "see the runbook"))
    if not raised:
        yield fine("alarms", f"none of {len(listed)} is raised")
