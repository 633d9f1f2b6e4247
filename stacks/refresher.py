"""The Lambda function and its log."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.metrics import NAMESPACE, SERVICE
from lambda_fn.contract.runtime import HANDLER, PYTHON
from lambda_fn.settings import Settings, to_environment
from stacks.bundling import refresher_code
from stacks.nag import acknowledge
from stacks.network import Network

WORKLOAD_DIGEST = "FRONTDOOR_WORKLOAD_SHA256"
"""Makes a changed workload a new version of the function, which is what runs the trigger again."""

BESIDE_THE_ROLLOUT_SECONDS = 120
"""What a run needs besides waiting for pods: a cold start, a fresh access entry (60 s), retries."""
ENVIRONMENT_LIMIT_BYTES = 4096
"""Of all names and values together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

# 1,769 MB is one full CPU: a cold start is mostly imports, and six short runs a day cost nothing either way.
_MEMORY_MB = 1024


def refresher_log(scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None) -> logs.LogGroup:
    """The function's log group. It outlives the stack: after a deployment that failed and rolled back it says why."""
    group = logs.LogGroup(scope, construct_id, removal_policy=cdk.RemovalPolicy.RETAIN, encryption_key=key)
    # The L2 takes only the names of an enum; the settings hold CloudWatch's own numbers.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = settings.refresh.log_retention_days
    return group


class Refresher(Construct):
    """The function, with what happens to a run that fails.

    A failed asynchronous run is repeated twice by Lambda itself (after one and two minutes), then it goes to
    `failures`. Concurrency is not reserved: two runs at once write the same objects, and reserving would fail in
    accounts with a small concurrency limit and throttle the deployment's own run.

    Attributes:
        function: The function. Its environment is the settings and nothing an operator could set elsewhere.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        role: iam.IRole,
        log_group: logs.ILogGroup,
        dead_letter_queue: sqs.IQueue,
        network: Network | None,
        workload_digest: str | None,
    ) -> None:
        """Define the function; `workload_digest` is of the objects the stack applies, `network` of a private cluster.

        Raises:
            SettingsError: The settings do not fit into a Lambda's environment.
            BundlingError: The Lambda's dependencies could not be installed.
        """
        super().__init__(scope, construct_id)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Refreshes the ECR credential and the configuration of the registry's proxy",
            runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            handler=HANDLER,
            code=refresher_code(self),
            role=role,
            memory_size=_MEMORY_MB,
            timeout=run_timeout(settings),
            environment=environment(settings, workload_digest=workload_digest),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            retry_attempts=2,
            max_event_age=cdk.Duration.hours(1),
            on_failure=destinations.SqsDestination(dead_letter_queue),
            vpc=network.vpc if network else None,
            vpc_subnets=network.selection if network else None,
            security_groups=[network.security_group] if network else None,
        )
        acknowledge(self.function, "AwsSolutions-L1", f"The pinned wheels are for {PYTHON}, supported until 2029.")


def run_timeout(settings: Settings) -> cdk.Duration:
    """The longest a run may take: the wait for the rollout, and all the rest."""
    return cdk.Duration.seconds(settings.refresh.rollout_timeout_seconds + BESIDE_THE_ROLLOUT_SECONDS)


def environment(settings: Settings, *, workload_digest: str | None) -> dict[str, str]:
    """All environment variables of the function.

    Raises:
        SettingsError: They exceed what Lambda takes.
    """
    variables = to_environment(settings) | {
        "POWERTOOLS_SERVICE_NAME": SERVICE,
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }
    if workload_digest:
        variables[WORKLOAD_DIGEST] = workload_digest
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        raise SettingsError(
            f"the settings take {size} bytes of the Lambda's environment, which holds {ENVIRONMENT_LIMIT_BYTES}: "
            "shorten the lists of repositories (team/* for many) or the Ingress annotations, and give a "
            "certificate_authority one certificate (one with an elliptic key is shorter)"
        )
    return variables
