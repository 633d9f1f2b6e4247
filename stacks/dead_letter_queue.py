"""The dead-letter queue: the event and the error of every refresh run that failed after all retries."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.encryption import use_key_for_queue
from stacks.nag import acknowledge


class DeadLetterQueue(Construct):
    """One queue for runs that Scheduler could not start and for runs that failed in the Lambda.

    One queue, because to the operator both mean that a refresh did not happen. The messages show which of the two it
    was. They hold the event and the error, never a secret.

    Attributes:
        queue: Encrypted with `key`, or by SQS where there is none; TLS only; messages stay for the longest time SQS
            allows.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(self.queue, "AwsSolutions-SQS3", "This queue is the dead-letter queue.")

    def send_statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to send messages."""
        send = iam.PolicyStatement(
            sid="SendToDeadLetterQueue", actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]
        )
        return [send, *([use_key_for_queue(self._key)] if self._key else [])]
