"""Where alarms are sent: to the operator's SNS topic, by mail through a topic of the stack, to both, or nowhere."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from lambda_fn.settings.alarms import Alarms


class Notifications(Construct):
    """The topics of `[alarms]`.

    A topic policy replaces the default one, so the stack's names the publishers: CloudWatch alarms of this account.

    Attributes:
        actions: The actions of an alarm, when it is raised and when it is over.
    """

    def __init__(self, scope: Construct, construct_id: str, *, alarms: Alarms, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        topics: list[sns.ITopic] = []
        if alarms.topic_arn:
            topics.append(sns.Topic.from_topic_arn(self, "Given", alarms.topic_arn))
        if alarms.emails:
            topics.append(_mail_topic(self, alarms, key))
        self.actions: list[cloudwatch.IAlarmAction] = [actions.SnsAction(topic) for topic in topics]


def _mail_topic(scope: Construct, alarms: Alarms, key: kms.IKey | None) -> sns.ITopic:
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
