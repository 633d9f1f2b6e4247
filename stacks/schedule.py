"""What starts a refresh, and the canary between refreshes: EventBridge Scheduler."""

import json
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.settings import Settings
from stacks.encryption import queue_statement

# A run that could not be delivered within an hour is old news: the next one is due, and the queue has it on record.
_DELIVER_WITHIN_SECONDS = 3600
_DELIVERY_RETRIES = 10


class Schedule(Construct):
    """A schedule in a group of its own, the canary's where there is one, and the role they invoke the function with.

    L1, because the L2 target may invoke every version of the function and shares a group with the whole account.
    Scheduler invokes asynchronously, so its dead-letter queue sees failed deliveries only; a run that was delivered
    and failed is the function's own affair.

    Attributes:
        schedule: The refresh's.
        canary: The canary's, None without one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        function: lambda_.IFunction,
        dead_letter_queue: sqs.IQueue,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        group = scheduler.CfnScheduleGroup(self, "Group", name=cdk.Names.unique_resource_name(self, max_length=64))
        role = iam.Role(
            self,
            "Role",
            description="EventBridge Scheduler starts ecr-frontdoor's Lambda",
            assumed_by=_scheduler_for(group),
            inline_policies={"Start": iam.PolicyDocument(statements=_statements(function, dead_letter_queue, key))},
        )
        refresh = settings.refresh.schedule
        window_minutes = refresh.window // timedelta(minutes=1)
        self.schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Refreshes the ECR credential before the old one expires",
            group_name=group.ref,
            schedule_expression=refresh.expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE" if window_minutes else "OFF", maximum_window_in_minutes=window_minutes or None
            ),
            target=_target(function, role, dead_letter_queue, retries=_DELIVERY_RETRIES),
        )
        self.canary: scheduler.CfnSchedule | None = None
        if settings.canary:
            self.canary = scheduler.CfnSchedule(
                self,
                "Canary",
                description="Pulls an image through the registry's domain, to find out what clients find",
                group_name=group.ref,
                schedule_expression=settings.canary.schedule.expression,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                # Late it is worthless: the next one is due, and a gap in the metric says that one is missing. Nor is it
                # put on record, for the alarm on the queue is about refreshes.
                target=_target(function, role, None, retries=0, event={"canary": True}),
            )


def _target(
    function: lambda_.IFunction,
    role: iam.IRole,
    dead_letter_queue: sqs.IQueue | None,
    *,
    retries: int,
    event: dict[str, bool] | None = None,
) -> scheduler.CfnSchedule.TargetProperty:
    return scheduler.CfnSchedule.TargetProperty(
        arn=function.function_arn,
        role_arn=role.role_arn,
        input=json.dumps(event) if event else None,
        retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
            maximum_event_age_in_seconds=_DELIVER_WITHIN_SECONDS, maximum_retry_attempts=retries
        ),
        dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letter_queue.queue_arn)
        if dead_letter_queue
        else None,
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


def _statements(
    function: lambda_.IFunction, dead_letter_queue: sqs.IQueue, key: kms.IKey | None
) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid="StartRefresh", actions=["lambda:InvokeFunction"], resources=[function.function_arn]),
        iam.PolicyStatement(
            sid="ReportUndelivered", actions=["sqs:SendMessage"], resources=[dead_letter_queue.queue_arn]
        ),
        *([queue_statement(key)] if key else []),
    ]
