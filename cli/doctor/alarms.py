"""The alarms: whether one is raised, and whether anybody would hear of it."""

from collections.abc import Iterator

from cli.doctor.finding import Finding, fine, skipped, warning
from cli.doctor.site import Site
from cli.doctor.stack import Resources

_CHECK = "alarms"


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The stack's alarms and its mail; nothing where it has no alarms."""
    names, region = found.of("AWS::CloudWatch::Alarm"), site.settings.cluster.region
    if not names:
        return
    listed = site.aws.client("cloudwatch", config=site.briefly).describe_alarms(AlarmNames=names)["MetricAlarms"]
    troubles = [
        *(
            warning(_CHECK, f"{name} is gone", "make it again as cdk synth shows it: a deployment does not see it")
            for name in sorted({*names} - {alarm["AlarmName"] for alarm in listed})
        ),
        *(
            warning(_CHECK, f"{alarm['AlarmName']} is raised", alarm.get("AlarmDescription", "see docs/operations.md"))
            for alarm in listed
            if alarm["StateValue"] == "ALARM"
        ),
        *(
            warning(
                _CHECK,
                f"{alarm['AlarmName']} is switched off and tells nobody",
                f"aws cloudwatch enable-alarm-actions --region {region} --alarm-names {alarm['AlarmName']}",
            )
            for alarm in listed
            if not alarm.get("ActionsEnabled", True)
        ),
    ]
    yield from troubles
    if not troubles:
        yield fine(_CHECK, f"none of {len(names)} is raised")
    yield from _heard(site, found)


def _heard(site: Site, found: Resources) -> Iterator[Finding]:
    alarms = site.settings.alarms
    if not alarms.topic_arn and not alarms.emails:
        yield skipped(_CHECK, "they tell nobody, for [alarms] names neither a topic nor an address")
    client = site.aws.client("sns", config=site.briefly)
    for topic in found.of("AWS::SNS::Topic"):
        pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        listed = [one for page in pages for one in page["Subscriptions"]]
        # Until the mail is answered, and after somebody has signed off, there stands a word in place of an ARN.
        confirmed = {one["Endpoint"] for one in listed if one["SubscriptionArn"].startswith("arn:")}
        for address in alarms.emails:
            if address not in confirmed:
                yield warning(
                    _CHECK,
                    f"{address} has not confirmed its subscription, and hears of no alarm",
                    "follow the link in the mail; another one is sent by aws sns subscribe --protocol email "
                    f"--region {site.settings.cluster.region} --topic-arn {topic} --notification-endpoint {address}",
                )
