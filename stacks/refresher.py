"""The Lambda function."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.contract.runtime import HANDLER
from stacks.function import function
from stacks.network import Network

WORKLOAD_DIGEST = "FRONTDOOR_WORKLOAD_SHA256"
"""A changed workload creates a new version of the function, which causes another first run."""

TIMEOUT_BESIDES_ROLLOUT_SECONDS = 120
"""The time of a run without the wait for the rollout: cold start, a new access entry (60 s), retries."""
_LONGEST_RUN_SECONDS = 855
"""A deployment waits for a run, at most 870 s (`stacks/first_run.py`), and must see the end of one that times out."""


class Refresher(Construct):
    """The function, with its retries and its dead-letter queue.

    Lambda retries a failed asynchronous run after one and two minutes, then sends it to the dead-letter queue.
    Concurrency is not reserved: two concurrent runs write the same objects, and a reservation would fail in accounts
    with a small concurrency limit and throttle the run of a deployment.

    Attributes:
        function: The function. Its code and the metadata of its resource hold the settings.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: str,
        workload_digest: str | None,
        timeout: cdk.Duration,
        role: iam.IRole,
        log_group: logs.ILogGroup,
        dead_letter_queue: sqs.IQueue,
        network: Network | None,
    ) -> None:
        """Define the function.

        Args:
            scope: The parent.
            construct_id: The id in it.
            settings: As JSON.
            workload_digest: Of the objects that the stack applies; None where it applies none.
            timeout: Of one run.
            role: The function runs with it.
            log_group: Where it logs.
            dead_letter_queue: Where failed runs go.
            network: None where the Lambda runs outside the cluster's VPC.

        Raises:
            BundlingError: The Lambda's dependencies could not be installed.
        """
        super().__init__(scope, construct_id)
        self.function = function(
            self,
            description="Refreshes the ECR token and the configuration of the registry proxy",
            handler=HANDLER,
            settings=settings,
            role=role,
            timeout=timeout,
            log_group=log_group,
            network=network,
            environment={WORKLOAD_DIGEST: workload_digest} if workload_digest else None,
        )
        self.function.configure_async_invoke(
            retry_attempts=2,
            max_event_age=cdk.Duration.hours(1),
            on_failure=destinations.SqsDestination(dead_letter_queue),
        )


def run_timeout(rollout_timeout_seconds: int) -> cdk.Duration:
    """The Lambda's time-out: the wait for the rollout, and everything else that a run does.

    The longest rollouts leave less than that for the rest; a run that needs it ends the wait earlier.
    """
    return cdk.Duration.seconds(min(rollout_timeout_seconds + TIMEOUT_BESIDES_ROLLOUT_SECONDS, _LONGEST_RUN_SECONDS))
