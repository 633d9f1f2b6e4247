"""The run that belongs to a deployment: what it changed is in force, or the deployment fails and says why."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import triggers
from constructs import Construct, IDependable

from stacks.deployment_log import no_other_log, send_log_of

_TRIGGER_LIMIT_SECONDS = 870
_PROVIDER = "AWSCDK.TriggerCustomResourceProviderCustomResourceProvider"


class FirstRun(Construct):
    """Invokes the function once it can work, and again with every new version of it.

    A version changes with the code, the settings and the digest of the workload. The run is synchronous: the stack
    waits for it, and rolls back when it fails.
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
        # CDK's function that waits has 15 minutes itself: it must be able to report a run that takes them all.
        wait_seconds = min(timeout.to_seconds(), _TRIGGER_LIMIT_SECONDS)
        trigger = triggers.Trigger(self, "Trigger", handler=function, timeout=cdk.Duration.seconds(wait_seconds))
        trigger.node.add_dependency(*after)
        _write_provider_log_to(self, log_group)


def _write_provider_log_to(scope: Construct, log_group: logs.ILogGroup) -> None:
    """CDK's function that waits, which belongs to the stack and not to the trigger."""
    provider = cast("cdk.CustomResourceProviderBase", cdk.Stack.of(scope).node.find_child(_PROVIDER))
    send_log_of(cast("cdk.CfnResource", provider.node.find_child("Handler")), log_group)
    provider.add_to_role_policy(no_other_log().to_json())
