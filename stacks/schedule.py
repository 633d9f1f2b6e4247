"""EventBridge Scheduler: starts the refresh, and the canary between refreshes."""

import json
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.settings.schedule import Schedule as ScheduleRule
from stacks.dead_letter_queue import DeadLetterQueue

# A run that cannot start within an hour is outdated: the next one is due, and the dead-letter queue has its event.
_DELIVER_WITHIN_SECONDS = 3600
_DELIVERY_RETRIES = 10


class Schedule(Construct):
    """The schedules of the refresh and of the canary, in their own group, with the role that invokes the function.

    L1, because the L2 target may invoke every version of the function and puts schedules into the account's default
    group. Scheduler invokes asynchronously, so it sends only events that it could not deliver to the dead-letter queue;
    the function sends its failed runs itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        refresh: ScheduleRule,
        canary: ScheduleRule | None,
        function: lambda_.IFunction,
        dead_letter_queue: DeadLetterQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        group = scheduler.CfnScheduleGroup(self, "Group", name=cdk.Names.unique_resource_name(self, max_length=64))
        role = iam.Role(
            self,
            "Role",
            description="EventBridge Scheduler: starts the Lambda of ecr-frontdoor",
            assumed_by=_scheduler_for(group),
            inline_policies={"Start": iam.PolicyDocument(statements=_statements(function, dead_letter_queue))},
        )
        _schedule(
            self,
            "Schedule",
            description="Refreshes the ECR token before the old one expires",
            group=group,
            rule=refresh,
            target=_target(function, role, retries=_DELIVERY_RETRIES, dead_letter_queue=dead_letter_queue.queue),
        )
        if canary:
            _schedule(
                self,
                "Canary",
                description="Pulls an image through the registry's domain, as a client does",
                group=group,
                rule=canary,
                # No retries: the next pull is due soon, and CanaryFailed sees a missing one. No dead-letter queue: the
                # alarm on it is about refreshes.
                target=_target(function, role, retries=0, event={"canary": True}),
            )


def _schedule(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    group: scheduler.CfnScheduleGroup,
    rule: ScheduleRule,
    target: scheduler.CfnSchedule.TargetProperty,
) -> None:
    window_minutes = rule.window // timedelta(minutes=1)
    scheduler.CfnSchedule(
        scope,
        construct_id,
        description=description,
        group_name=group.ref,
        schedule_expression=rule.expression,
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
            mode="FLEXIBLE" if window_minutes else "OFF", maximum_window_in_minutes=window_minutes or None
        ),
        target=target,
    )


def _target(
    function: lambda_.IFunction,
    role: iam.IRole,
    *,
    retries: int,
    dead_letter_queue: sqs.IQueue | None = None,
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


def _statements(function: lambda_.IFunction, dead_letter_queue: DeadLetterQueue) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid="InvokeLambda", actions=["lambda:InvokeFunction"], resources=[function.function_arn]),
        *dead_letter_queue.send_statements(),
    ]
