"""`encryption = "stack"`: a KMS key for the logs, the queues and the mail topic."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class Encryption(Construct):
    """A key with yearly rotation, which remains when the stack is deleted, as the log does.

    Its policy allows the account's administrators to manage it, and the services that use it under their own
    name. The Lambda and Scheduler write to the queue with their roles, which have `use_key_for_queue`.

    Attributes:
        key: Encrypts the logs, the queues and the topic.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            description="ecr-frontdoor: encrypts its logs, its queues and its mail topic",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        for statement in (_logs(self), _alarms()):
            self.key.add_to_resource_policy(statement)


def use_key_for_queue(key: kms.IKey) -> iam.PolicyStatement:
    """What a role needs in addition to `sqs:SendMessage` to write to a queue that is encrypted with `key`.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    return iam.PolicyStatement(
        sid="EncryptDeadLetters", actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn]
    )


def _logs(scope: Construct) -> iam.PolicyStatement:
    """CloudWatch Logs, for the log groups of this stack only: CloudFormation begins their names with the stack's.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html , without its wildcards.
    """
    stack = cdk.Stack.of(scope)
    groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{stack.stack_name}-*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(
        sid="EncryptLogs",
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
        actions=[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )


def _alarms() -> iam.PolicyStatement:
    """CloudWatch alarms of this account, which publish to an encrypted topic.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return iam.PolicyStatement(
        sid="EncryptAlarmMessages",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )
