"""What starts a refresh: EventBridge Scheduler, every `refresh.period_minutes`."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.settings import Refresh
from stacks.encryption import queue_statement

# A run that could not be delivered within an hour is old news: the next one is due, and the queue has it on record.
_DELIVER_WITHIN_SECONDS = 3600
_DELIVERY_RETRIES = 10


class Schedule(Construct):
    """A schedule in a group of its own, and the role it invokes the function with.

    L1, because the L2 target may invoke every version of the function and shares a group with the whole account.
    Scheduler invokes asynchronously, so its dead-letter queue sees failed deliveries only; a run that was delivered
    and failed is the function's own affair.

    Attributes:
        schedule: The schedule.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        refresh: Refresh,
        function: lambda_.IFunction,
        failures: sqs.IQueue,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        group = scheduler.CfnScheduleGroup(self, "Group", name=cdk.Names.unique_resource_name(self, max_length=64))
        role = iam.Role(
            self,
            "Role",
            description="EventBridge Scheduler starts ecr-frontdoor's Lambda",
            assumed_by=_scheduler_for(group),
            inline_policies={"Start": iam.PolicyDocument(statements=_statements(function, failures, key))},
        )
        window = refresh.flexible_window_minutes
        self.schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Refreshes the ECR credential before the old one expires",
            group_name=group.ref,
            schedule_expression=f"rate({refresh.period_minutes} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE" if window else "OFF", maximum_window_in_minutes=window or None
            ),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_DELIVER_WITHIN_SECONDS, maximum_retry_attempts=_DELIVERY_RETRIES
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=failures.queue_arn),
            ),
        )


def _scheduler_for(group: scheduler.CfnScheduleGroup) -> iam.IPrincipal:
    # The group and not the schedule: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    return iam.ServicePrincipal(
        "scheduler.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
            "ArnEquals": {"aws:SourceArn": group.attr_arn},
        },
    )


def _statements(function: lambda_.IFunction, failures: sqs.IQueue, key: kms.IKey | None) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid="StartRefresh", actions=["lambda:InvokeFunction"], resources=[function.function_arn]),
        iam.PolicyStatement(sid="ReportUndelivered", actions=["sqs:SendMessage"], resources=[failures.queue_arn]),
        *([queue_statement(key)] if key else []),
    ]
