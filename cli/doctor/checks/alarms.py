"""Whether an alarm is in state ALARM, and whether its notifications arrive."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok, skipped, warning


def run(context: CheckContext) -> Iterator[Finding]:
    """The stack's alarms and their mail subscriptions; nothing where the stack has no alarms."""
    names, region = context.stack.of("AWS::CloudWatch::Alarm"), context.settings.cluster.region
    if not names:
        return
    listed = context.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    problems = [*_missing(names, listed), *_problems(listed, region)]
    yield from problems
    if not problems:
        yield ok(f"all {len(names)} alarms are enabled, and none is in state ALARM")
    alarms = context.settings.alarms
    if not alarms.topic_arn and not alarms.emails:
        yield skipped("no notification is sent: [alarms] has neither topic_arn nor emails")
    for topic in context.stack.of("AWS::SNS::Topic"):
        yield from _subscriptions(context.client("sns"), topic, alarms.emails, region)


def _missing(names: Sequence[str], listed: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for name in sorted({*names} - {alarm["AlarmName"] for alarm in listed}):
        hint = "create it again as cdk synth shows it (a deployment does not see the deletion)"
        yield warning(f"alarm {name} does not exist any more", hint)


def _problems(listed: Sequence[Mapping[str, Any]], region: str) -> Iterator[Finding]:
    for alarm in listed:
        name = alarm["AlarmName"]
        if alarm["StateValue"] == "ALARM":
            yield warning(
                f"alarm {name} is in state ALARM",
                alarm.get("AlarmDescription", "see docs/operations.md, When an alarm goes off"),
            )
        if not alarm.get("ActionsEnabled", True):
            command = f"aws cloudwatch enable-alarm-actions --region {region} --alarm-names {name}"
            yield warning(f"the actions of alarm {name} are disabled: it notifies no one", command)


def _subscriptions(sns: Any, topic: str, emails: Sequence[str], region: str) -> Iterator[Finding]:  # noqa: ANN401 - boto3's clients are made at run time
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    listed = [subscription for page in pages for subscription in page["Subscriptions"]]
    # Before it is confirmed and after it is deleted, a subscription has a word instead of an ARN.
    confirmed = {one["Endpoint"] for one in listed if one["SubscriptionArn"].startswith("arn:")}
    for address in emails:
        if address not in confirmed:
            yield warning(
                f"{address} has not confirmed its subscription: it receives no alarms",
                "open the link in the confirmation mail; to send another: aws sns subscribe --protocol email "
                f"--region {region} --topic-arn {topic} --notification-endpoint {address}",
            )


CHECK = Check("alarms", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#when-an-alarm-goes-off")
