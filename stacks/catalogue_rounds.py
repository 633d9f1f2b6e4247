"""What the catalogue needs beside the watcher: a schedule, and ECR's exclusion of its reads from pull times."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from lambda_fn.settings.registry import Registry
from stacks.rule_permission import name_after_rule

_EVERY = cdk.Duration.minutes(5)
"""Runs that continue a round; a run between rounds only reads the index. A round starts each hour,
and after one with gaps at once.
"""
_NONE = "by the owners of the registries"


class CatalogueRounds(Construct):
    """Starts the runs of the catalogue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        role: iam.IRole,
        registries: Sequence[Registry],
        after: Sequence[IDependable],
    ) -> None:
        """Define it.

        Args:
            scope: The parent.
            construct_id: The id in it.
            function: The watcher.
            role: Its role.
            registries: Those that it reads.
            after: What must exist before a run can reach AWS and the cluster.
        """
        super().__init__(scope, construct_id)
        # A run that fails is followed by the next one: no retries.
        function.configure_async_invoke(retry_attempts=0, max_event_age=_EVERY)
        target = targets.LambdaFunction(
            function,
            event=events.RuleTargetInput.from_object({"catalogue": True}),
            retry_attempts=0,
            max_event_age=_EVERY,
        )
        # It names the exclusion, so that CloudFormation makes that first. DependsOn cannot say so: what depends on a
        # resource whose condition is false is not created either.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-condition.html
        excluded = self._exclusion(role, registries)
        rule = events.Rule(
            self,
            "Rule",
            description=f"Continues the round of the registry's catalogue. Excluded from pull times: {excluded}",
            schedule=events.Schedule.rate(_EVERY),
            targets=[target],
        )
        name_after_rule(rule)
        rule.node.add_dependency(*after)

    def _exclusion(self, role: iam.IRole, registries: Sequence[Registry]) -> str:
        """The role that ECR excludes from pull times; a text where CloudFormation excludes none.

        The watcher reads manifests by BatchGetImage, which would count as pulls and keep unused images alive.

        An exclusion belongs to one account and region; CloudFormation makes only that of the stack's own.
        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html
        """
        region = cdk.Stack.of(self).region
        accounts = dict.fromkeys(registry.account for registry in registries if registry.region == region)
        if not accounts:
            return _NONE
        own = cdk.CfnCondition(
            self,
            "OwnRegistry",
            expression=cdk.Fn.condition_or(
                *(cdk.Fn.condition_equals(cdk.Aws.ACCOUNT_ID, account) for account in accounts)
            )
            if len(accounts) > 1
            else cdk.Fn.condition_equals(cdk.Aws.ACCOUNT_ID, next(iter(accounts))),
        )
        exclusion = ecr.CfnPullTimeUpdateExclusion(self, "Exclusion", principal_arn=role.role_arn)
        exclusion.cfn_options.condition = own
        return cdk.Fn.condition_if(own.logical_id, exclusion.ref, _NONE).to_string()
