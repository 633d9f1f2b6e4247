"""The run that belongs to a deployment: the deployment succeeds only if its changes are in force in the cluster."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import triggers
from constructs import Construct, IDependable

from stacks.logs import deny_new_log_groups, send_log_of
from stacks.rule_permission import name_after_rule

_LONGER_THAN_A_RUN_SECONDS = 15
"""How much longer than the Lambda's time-out CDK's trigger function waits: where its connection times out first, it
invokes a second run beside the first one. Lambda's start of a new function, up to 10 s, comes before its time-out:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib . The function itself
ends after 15 minutes, and has to report before.
"""
_PROVIDER = "AWSCDK.TriggerCustomResourceProviderCustomResourceProvider"


class FirstRun(Construct):
    """Invokes the function once everything it needs exists, and again with every new version of the function.

    A version changes with the code, the settings and the digest of the workload. The run is synchronous: the stack
    waits for it, and rolls back if it fails. Each version has a resource of its own, so a rollback has none to update
    and invokes nothing that could fail again; a run that no part of the stack waits for follows it.
    docs/decisions/0031-what-a-rollback-does.md
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
        trigger = triggers.Trigger(self, "Trigger", handler=function, timeout=trigger_timeout(timeout))
        trigger.node.add_dependency(*after)
        _name_after_version(self, trigger, function)
        _configure_provider(self, log_group)
        _run_after_rollback(self, function)


def trigger_timeout(run_timeout: cdk.Duration) -> cdk.Duration:
    """How long CDK's trigger function waits for a run that may take `run_timeout`."""
    return run_timeout.plus(cdk.Duration.seconds(_LONGER_THAN_A_RUN_SECONDS))


def _name_after_version(scope: Construct, trigger: triggers.Trigger, function: lambda_.Function) -> None:
    """Give the trigger's resource a logical id that changes with the version: CDK puts its digest into the version's.

    An update creates the resource, which invokes the version, and deletes the one before, which invokes nothing.
    """
    resource = cast("cdk.CfnResource", trigger.node.find_child("Default").node.default_child)
    version = cast("cdk.CfnResource", function.current_version.node.default_child)
    resource.override_logical_id(f"{scope.node.id}Trigger{version.logical_id}")


def _run_after_rollback(scope: Construct, function: lambda_.IFunction) -> None:
    """Start a run when an update was rolled back: the cluster may hold the configuration of the failed one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-events-eventbridge.html
    """
    rule = events.Rule(
        scope,
        "AfterRollback",
        description="ecr-frontdoor: a run after a rollback, with the earlier code and settings",
        event_pattern=events.EventPattern(
            source=["aws.cloudformation"],
            detail_type=["CloudFormation Stack Status Change"],
            detail={"stack-id": [cdk.Aws.STACK_ID], "status-details": {"status": ["UPDATE_ROLLBACK_COMPLETE"]}},
        ),
        targets=[targets.LambdaFunction(function, event=events.RuleTargetInput.from_object({}))],
    )
    name_after_rule(rule)


def _configure_provider(scope: Construct, log_group: logs.ILogGroup) -> None:
    """CDK's trigger function, which is a child of the stack and not of the trigger."""
    provider = cast("cdk.CustomResourceProviderBase", cdk.Stack.of(scope).node.find_child(_PROVIDER))
    send_log_of(cast("cdk.CfnResource", provider.node.find_child("Handler")), log_group)
    provider.add_to_role_policy(deny_new_log_groups().to_json())
