"""The queue where every refresh that failed for good ends up."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.nag import acknowledge


class DeadLetterQueue(Construct):
    """One queue for both ends of the chain: runs Scheduler could not deliver, and runs the Lambda gave up.

    One, because whoever is on call asks one question: is there a refresh that did not happen? The messages tell the
    two apart. They hold the event and the error, never a secret.

    Attributes:
        queue: Encrypted with `key`, by SQS itself where there is none; TLS only, kept for the longest time SQS knows.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(self.queue, "AwsSolutions-SQS3", "This is the dead-letter queue.")
