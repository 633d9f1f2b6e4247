"""ECR's events about images, from EventBridge to a queue."""

import json
from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.settings.registry import Registry
from stacks.dead_letter_queue import DeadLetterQueue

PATTERN_LIMIT = 2_048
"""Characters of an event pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
_DELIVERIES = 20
"""With the visibility time-out an hour: as long may ECR or the cluster fail without a message in the other queue."""
_KEPT_FOR = cdk.Duration.days(4)


class ImageEvents(Construct):
    """A rule on the account's default event bus, its queue, and the queue of the messages that failed.

    The bus has the events of this account and region, and those that other accounts or regions forward to it.

    Attributes:
        queue: The events.
        failures: The messages that could not be handled.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        registries: Iterable[Registry],
        visibility_timeout: cdk.Duration,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.failures = DeadLetterQueue(self, "Failures", key=key).queue
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_KEPT_FOR,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.failures, max_receive_count=_DELIVERIES),
        )
        rule = events.CfnRule(
            self,
            "Rule",
            description="ecr-frontdoor: pushes to and deletions from the repositories that clients may pull",
            event_pattern=event_pattern(registries),
            targets=[events.CfnRule.TargetProperty(id="Queue", arn=self.queue.queue_arn)],
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="SendEvents",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        if key:
            key.add_to_resource_policy(_encrypt_events())


def _encrypt_events() -> iam.PolicyStatement:
    """EventBridge encrypts with its own name. It does not tell KMS the rule, only the account.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    return iam.PolicyStatement(
        sid="EncryptEvents",
        principals=[iam.ServicePrincipal("events.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def event_pattern(registries: Iterable[Registry]) -> dict[str, Any]:
    """The events of these registries, and at least those of their repositories: the watcher looks at each again.

    A `*` becomes a prefix, since a bus has only 30 rules with a wildcard. Without a prefix, or where the pattern would
    be too long, all repositories match; where it still is, those of every account that sends events.
    """
    registries = tuple(registries)
    detail: dict[str, Any] = {"action-type": ["DELETE", "PUSH"], "result": ["SUCCESS"]}
    pattern: dict[str, Any] = {
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action"],
        "account": list(dict.fromkeys(registry.account for registry in registries)),
        "region": list(dict.fromkeys(registry.region for registry in registries)),
        "detail": detail,
    }
    names = [_name(route.ecr_pattern) for registry in registries for route in registry.routes]
    narrow = {**pattern, "detail": detail | {"repository-name": names}}
    wide = {key: value for key, value in pattern.items() if key != "account"}
    ways = [*([] if {"prefix": ""} in names else [narrow]), pattern]
    return next((way for way in ways if len(json.dumps(way, separators=(",", ":"))) <= PATTERN_LIMIT), wide)


def _name(text: str) -> str | dict[str, str]:
    prefix, star, _ = text.partition("*")
    return {"prefix": prefix} if star else text
