"""ECR's events about images, from EventBridge to queues: deletions have one that no push can fill."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.contract.ecr_events import DETAIL_TYPES, SOURCE, Action, success
from lambda_fn.settings.registry import Registry
from stacks.dead_letter_queue import DeadLetterQueue

PATTERN_LIMIT = 2_048
"""Characters of an event pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
_TRIED_FOR = cdk.Duration.hours(1)
"""As long may ECR or the cluster fail without a message in the queue of those that failed."""
_KEPT_FOR = cdk.Duration.days(4)


class ImageEvents(Construct):
    """A rule on the account's default event bus, and its queue.

    The bus has the events of this account and region, and those that other accounts or regions forward to it.

    Attributes:
        queue: The events.
        rule: What sends them.
        failures: The messages that could not be handled.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        registries: Iterable[Registry],
        actions: Sequence[Action],
        visibility_timeout: cdk.Duration,
        failures: sqs.IQueue | None,
        key: kms.IKey | None,
    ) -> None:
        """Define them.

        Args:
            scope: The parent.
            construct_id: The id in it.
            registries: Those whose events matter.
            actions: The events that matter.
            visibility_timeout: Until a message that failed comes again.
            failures: Takes the messages that fail for an hour; None for a queue of its own.
            key: Encrypts the queues; None without a key of the stack.
        """
        super().__init__(scope, construct_id)
        self.failures = failures or DeadLetterQueue(self, "Failures", key=key).queue
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_KEPT_FOR,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.failures, max_receive_count=_TRIED_FOR.to_seconds() // visibility_timeout.to_seconds()
            ),
        )
        self.rule = events.CfnRule(
            self,
            "Rule",
            description=f"ecr-frontdoor: {', '.join(actions)} of images that clients may pull",
            event_pattern=event_pattern(registries, actions),
            targets=[events.CfnRule.TargetProperty(id="Queue", arn=self.queue.queue_arn)],
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="SendEvents",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.rule.attr_arn}},
            )
        )


def encrypt_events() -> iam.PolicyStatement:
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


def event_pattern(registries: Iterable[Registry], actions: Sequence[Action]) -> dict[str, Any]:
    """The events of these registries, and at least those of their repositories: the watcher looks at each again.

    A `*` becomes a prefix, since a bus has only 30 rules with a wildcard. Without a prefix, or where the pattern would
    be too long, all repositories match; where it still is, those of every account that sends events.
    """
    registries = tuple(registries)
    detail = _successes(actions)
    pattern: dict[str, Any] = {
        "source": [SOURCE],
        "detail-type": list(dict.fromkeys(DETAIL_TYPES[action] for action in actions)),
        "account": list(dict.fromkeys(registry.account for registry in registries)),
        "region": list(dict.fromkeys(registry.region for registry in registries)),
        "detail": detail,
    }
    names = [_name(route.ecr_pattern) for registry in registries for route in registry.routes]
    narrow = {**pattern, "detail": detail | {"repository-name": names}}
    wide = {key: value for key, value in pattern.items() if key != "account"}
    ways = [*([] if {"prefix": ""} in names else [narrow]), pattern]
    return next((way for way in ways if len(json.dumps(way, separators=(",", ":"))) <= PATTERN_LIMIT), wide)


def _successes(actions: Iterable[Action]) -> dict[str, Any]:
    """The events in which one of these has succeeded: those with the same fields in one way, others in another.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html has `$or`.
    """
    ways: dict[frozenset[str], dict[str, list[str]]] = {}
    for action in actions:
        fields = success(action)
        way = ways.setdefault(frozenset(fields), {key: [] for key in fields})
        for key, value in fields.items():
            way[key] += [value] if value not in way[key] else []
    return {"$or": [*ways.values()]} if len(ways) > 1 else {**next(iter(ways.values()))}


def _name(text: str) -> str | dict[str, str]:
    prefix, star, _ = text.partition("*")
    return {"prefix": prefix} if star else text
