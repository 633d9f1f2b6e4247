"""The refresh of the token: the Lambda with its role, log, dead-letter queue and schedules.

The constructs are children of the stack. A construct around them would change their logical ids, and CloudFormation
would replace them.
"""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import to_json
from stacks.dead_letter_queue import DeadLetterQueue
from stacks.identity import Identity
from stacks.logs import log_group
from stacks.network import Network
from stacks.refresher import Refresher, run_timeout
from stacks.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """What the other parts of the stack need of the refresh.

    Attributes:
        function: The Lambda.
        role: Its role.
        timeout: Of one run.
        dead_letter_queue: Where failed runs go.
        schedule: Starts runs as soon as it exists.
    """

    function: lambda_.Function
    role: iam.IRole
    timeout: cdk.Duration
    dead_letter_queue: sqs.IQueue
    schedule: Schedule


def refresh(
    stack: cdk.Stack,
    settings: Settings,
    *,
    workload_digest: str | None,
    network: Network | None,
    key: kms.IKey | None,
) -> Refresh:
    """Add the refresh to the stack.

    Args:
        stack: Of the installation.
        settings: All of them, because the Lambda's bundle holds them.
        workload_digest: Of the objects that the stack applies; None where it applies none.
        network: Of the Lambda; None where it runs outside the cluster's VPC.
        key: Encrypts the log and the queue; None without a key of the stack.
    """
    queue = DeadLetterQueue(stack, "Failures", key=key)
    # It remains when the stack is deleted: after a deployment that failed and rolled back it holds the reason.
    days = settings.refresh.log_retention_days
    log = log_group(stack, "Log", retention_days=days, removal_policy=cdk.RemovalPolicy.RETAIN, key=key)
    role = _role(stack, settings, log, queue)
    timeout = run_timeout(settings.refresh.rollout_timeout_seconds)
    function = Refresher(
        stack,
        "Refresher",
        settings=to_json(settings),
        workload_digest=workload_digest,
        timeout=timeout,
        role=role,
        log_group=log,
        dead_letter_queue=queue.queue,
        network=network,
    ).function
    schedule = _schedule(stack, settings, function, queue)
    return Refresh(function=function, role=role, timeout=timeout, dead_letter_queue=queue.queue, schedule=schedule)


def _role(stack: cdk.Stack, settings: Settings, log: logs.ILogGroup, queue: DeadLetterQueue) -> iam.IRole:
    return Identity(
        stack,
        "Identity",
        registries=settings.registries,
        proxy_image=settings.proxy.image,
        cluster=settings.cluster,
        log_group=log,
        dead_letter_queue=queue,
    ).role


def _schedule(stack: cdk.Stack, settings: Settings, function: lambda_.IFunction, queue: DeadLetterQueue) -> Schedule:
    return Schedule(
        stack,
        "Schedule",
        refresh=settings.refresh.schedule,
        canary=settings.canary.schedule if settings.canary else None,
        function=function,
        dead_letter_queue=queue,
    )
