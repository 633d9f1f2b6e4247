"""Pull-through cache rules of ECR, and the templates of the repositories that they create."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.public_registries import public_registry
from lambda_fn.settings.registry import Registry


class CacheRules(Construct):
    """The rules of the registries with `cache_rule`. When one is removed, its repositories and images stay."""

    def __init__(self, scope: Construct, construct_id: str, *, registries: Iterable[Registry]) -> None:
        """Define them.

        Raises:
            SettingsError: A rule belongs to another account than the stack, where that is known at synthesis.
        """
        super().__init__(scope, construct_id)
        for number, registry in enumerate(registries):
            if registry.cache_rule and registry.mirror:
                _reject_other_account(number, registry.account, cdk.Stack.of(self).account)
                self._add(registry.mirror.prefix, registry.mirror.upstream, registry.upstream_credential)

    def _add(self, prefix: str, upstream: str, credential: str | None) -> None:
        template = ecr.CfnRepositoryCreationTemplate(
            self,
            f"{prefix}Template",
            prefix=prefix,
            applied_for=["PULL_THROUGH_CACHE"],
            description=f"Repositories that ECR fills from {upstream} for ecr-frontdoor",
            # ECR updates a tag that moved at the upstream only where tags may move:
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
            image_tag_mutability="MUTABLE",
        )
        rule = ecr.CfnPullThroughCacheRule(
            self,
            f"{prefix}Rule",
            ecr_repository_prefix=prefix,
            upstream_registry_url=public_registry(upstream).url,
            credential_arn=credential,
        )
        # CloudFormation cannot change its upstream or credential: `frontdoor check` has the reason and the way.
        # A pull may import as soon as the rule exists.
        rule.node.add_dependency(template)


def _reject_other_account(number: int, account: str, own: str) -> None:
    if not cdk.Token.is_unresolved(own) and account != own:
        raise SettingsError(
            f"registries[{number}].cache_rule = true: a rule belongs to the registry of {account}, and this stack is "
            f"deployed to {own}. Fix: create the rule there, and remove cache_rule"
        )
