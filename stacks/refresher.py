"""The Lambda function."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.metrics import NAMESPACE, SERVICE
from lambda_fn.contract.runtime import HANDLER, PYTHON
from stacks.bundling import refresher_code
from stacks.nag import acknowledge
from stacks.network import Network

WORKLOAD_DIGEST = "FRONTDOOR_WORKLOAD_SHA256"
"""A changed workload creates a new version of the function, which causes another first run."""

TIMEOUT_BESIDES_ROLLOUT_SECONDS = 120
"""The time of a run without the wait for the rollout: cold start, a new access entry (60 s), retries."""
ENVIRONMENT_LIMIT_BYTES = 4096
"""All names and values together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

# 1,769 MB is one full CPU: a cold start is mostly imports, and six short runs a day cost next to nothing.
_MEMORY_MB = 1024
_PYTHON_IS_SUPPORTED = f"The pinned wheels are for Python {PYTHON}, which is supported until 2029."


class Refresher(Construct):
    """The function, with its retries and its dead-letter queue.

    Lambda retries a failed asynchronous run after one and two minutes, then sends it to the dead-letter queue.
    Concurrency is not reserved: two concurrent runs write the same objects, and a reservation would fail in accounts
    with a small concurrency limit and throttle the run of a deployment.

    Attributes:
        function: The function. Its environment holds only the settings and values that follow from them.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Mapping[str, str],
        timeout: cdk.Duration,
        role: iam.IRole,
        log_group: logs.ILogGroup,
        dead_letter_queue: sqs.IQueue,
        network: Network | None,
    ) -> None:
        """Define the function; `network` is None where the Lambda runs outside the cluster's VPC.

        Raises:
            BundlingError: The Lambda's dependencies could not be installed.
        """
        super().__init__(scope, construct_id)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Refreshes the ECR token and the configuration of the registry proxy",
            runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            handler=HANDLER,
            code=refresher_code(self),
            role=role,
            memory_size=_MEMORY_MB,
            timeout=timeout,
            environment=dict(environment),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            vpc=network.vpc if network else None,
            vpc_subnets=network.selection if network else None,
            security_groups=[network.security_group] if network else None,
        )
        self.function.configure_async_invoke(
            retry_attempts=2,
            max_event_age=cdk.Duration.hours(1),
            on_failure=destinations.SqsDestination(dead_letter_queue),
        )
        acknowledge(self.function, "AwsSolutions-L1", _PYTHON_IS_SUPPORTED)


def run_timeout(rollout_timeout_seconds: int) -> cdk.Duration:
    """The Lambda's time-out: the wait for the rollout, and everything else that a run does."""
    return cdk.Duration.seconds(rollout_timeout_seconds + TIMEOUT_BESIDES_ROLLOUT_SECONDS)


def environment(settings: Mapping[str, str], *, workload_digest: str | None) -> dict[str, str]:
    """All environment variables of the function.

    Args:
        settings: The variables that hold the settings.
        workload_digest: Of the objects that the stack applies; None where it applies none.

    Raises:
        SettingsError: They are larger than Lambda allows.
    """
    variables = {
        **settings,
        "POWERTOOLS_SERVICE_NAME": SERVICE,
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }
    if workload_digest:
        variables[WORKLOAD_DIGEST] = workload_digest
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        raise SettingsError(
            f"the settings are too large: they take {size} bytes of the Lambda's environment, which has room for "
            f"{ENVIRONMENT_LIMIT_BYTES}. Fix: use fewer patterns in registries[].repositories (team/* for many), "
            "shorten proxy.exposure.annotations, or put only one certificate into a certificate_authority (one with "
            "an elliptic-curve key is shorter)"
        )
    return variables
