"""A Lambda function of the bundle, as the refresher and the watcher are."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_fn.contract.metrics import NAMESPACE, SERVICE
from lambda_fn.contract.runtime import PYTHON, SETTINGS_METADATA
from stacks.bundling import function_code
from stacks.nag import acknowledge
from stacks.network import Network

# 1,769 MB is one full CPU: a cold start is mostly imports, and short runs cost next to nothing.
_MEMORY_MB = 1024
_PYTHON_IS_SUPPORTED = f"The pinned wheels are for Python {PYTHON}, which is supported until 2029."


def function(  # noqa: PLR0913 - properties, each passed by name
    scope: Construct,
    *,
    description: str,
    handler: str,
    settings: str,
    role: iam.IRole,
    timeout: cdk.Duration,
    log_group: logs.ILogGroup,
    network: Network | None,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """The function `Function` of a construct. Its code and the metadata of its resource hold the settings.

    Args:
        scope: The construct.
        description: What it does.
        handler: Its entry point.
        settings: As JSON.
        role: It runs with it.
        timeout: Of one run.
        log_group: Where it logs.
        network: None where it runs outside the cluster's VPC.
        environment: Variables beside those of the log and the metrics.

    Raises:
        BundlingError: The dependencies could not be installed.
    """
    made = lambda_.Function(
        scope,
        "Function",
        description=description,
        runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
        architecture=lambda_.Architecture.ARM_64,
        handler=handler,
        code=function_code(scope, settings),
        role=role,
        memory_size=_MEMORY_MB,
        timeout=timeout,
        environment={
            "POWERTOOLS_SERVICE_NAME": SERVICE,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            **(environment or {}),
        },
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        vpc=network.vpc if network else None,
        vpc_subnets=network.selection if network else None,
        security_groups=[network.security_group] if network else None,
    )
    cast("cdk.CfnResource", made.node.default_child).add_metadata(SETTINGS_METADATA, settings)
    acknowledge(made, "AwsSolutions-L1", _PYTHON_IS_SUPPORTED)
    return made
