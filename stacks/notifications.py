"""Who hears of an alarm: an SNS topic of the operator's, mail from one of the stack's own, both, or nobody."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from lambda_fn.settings import Alarms


class Notifications(Construct):
    """The topics of `[alarms]`.

    A policy replaces the one a topic has by default, so the stack's own says who may publish: alarms of this account.

    Attributes:
        actions: What an alarm does when it goes off, and when it is over.
    """

    def __init__(self, scope: Construct, construct_id: str, *, alarms: Alarms, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        topics: list[sns.ITopic] = []
        if alarms.topic_arn:
            topics.append(sns.Topic.from_topic_arn(self, "Given", alarms.topic_arn))
        if alarms.emails:
            topics.append(_mailing(self, alarms, key))
        self.actions: list[cloudwatch.IAlarmAction] = [actions.SnsAction(topic) for topic in topics]


def _mailing(scope: Construct, alarms: Alarms, key: kms.IKey | None) -> sns.ITopic:
    topic = sns.Topic(scope, "Topic", enforce_ssl=True, master_key=key)
    for address in alarms.emails:
        topic.add_subscription(subscriptions.EmailSubscription(address))
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AlarmsPublish",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        )
    )
    return topic
