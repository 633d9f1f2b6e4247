"""The run that belongs to a deployment: the deployment succeeds only if its changes are in force in the cluster."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import triggers
from constructs import Construct, IDependable

from stacks.logs import deny_new_log_groups, send_log_of

_TRIGGER_LIMIT_SECONDS = 870
"""CDK's trigger function has 15 minutes itself, and must be able to report a run that takes all of them."""
_PROVIDER = "AWSCDK.TriggerCustomResourceProviderCustomResourceProvider"


class FirstRun(Construct):
    """Invokes the function once everything it needs exists, and again with every new version of the function.

    A version changes with the code, the settings and the digest of the workload. The run is synchronous: the stack
    waits for it, and rolls back if it fails.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        timeout: cdk.Duration,
        after: list[IDependable],
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        wait_seconds = min(timeout.to_seconds(), _TRIGGER_LIMIT_SECONDS)
        trigger = triggers.Trigger(self, "Trigger", handler=function, timeout=cdk.Duration.seconds(wait_seconds))
        trigger.node.add_dependency(*after)
        _configure_provider(self, log_group)


def _configure_provider(scope: Construct, log_group: logs.ILogGroup) -> None:
    """CDK's trigger function, which is a child of the stack and not of the trigger."""
    provider = cast("cdk.CustomResourceProviderBase", cdk.Stack.of(scope).node.find_child(_PROVIDER))
    send_log_of(cast("cdk.CfnResource", provider.node.find_child("Handler")), log_group)
    provider.add_to_role_policy(deny_new_log_groups().to_json())
