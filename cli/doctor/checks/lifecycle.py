"""Lifecycle rules of ECR that look at the time of the last pull, and whether ECR records the proxy's pulls."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import error_text, get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from cli.doctor.stack_resources import REFRESHER_ROLE, WATCHER_ROLE
from lambda_fn.settings.registry import Registry, by_place
from lambda_fn.settings.routing import Routing

_SINCE_PULL = "sinceImagePulled"


def run(context: CheckContext) -> Iterator[Finding]:
    """The rules of every repository that the settings allow, in the registries of the operator's own account."""
    account = context.client("sts").get_caller_identity()["Account"]
    roles = {*_role_arns(context, REFRESHER_ROLE)}
    readers = {*_role_arns(context, WATCHER_ROLE)} if context.settings.page.catalogue else set[str]()
    routing = Routing(context.settings.registries)
    for (of, region), (registry, *_) in by_place(routing.registries).items():
        if of == account:
            client = context.client("ecr", region=region)
            yield from _rules(client, registry, routing)
            yield from _exclusions_of(client, registry, roles, readers)
        else:
            yield skipped(f"registry {of}: the lifecycle policies of another account were not read")


def _role_arns(context: CheckContext, construct: str) -> Iterator[str]:
    for name in context.stack.of("AWS::IAM::Role", construct):
        if found := get_or_none(context.client("iam").get_role, RoleName=name):
            yield str(found["Role"]["Arn"])


def _rules(
    client: Any,  # noqa: ANN401 - boto3's clients are made at run time
    registry: Registry,
    routing: Routing,
) -> Iterator[Finding]:
    rules = [*_rules_by_pull(client, registry, routing)]
    for repository, action, days in rules:
        yield warning(
            f"a lifecycle rule of {repository} in registry {registry.place} will {action} images that were not pulled "
            f"for {days} days: a node that has an image does not pull it again",
            f"use sinceImagePushed or imageCountMoreThan, or keep {days} days longer than your pods run",
        )
    if not rules:
        yield ok(f"registry {registry.place}: no lifecycle rule looks at the time of the last pull")


def _exclusions_of(
    client: Any,  # noqa: ANN401 - as above
    registry: Registry,
    roles: AbstractSet[str],
    readers: AbstractSet[str],
) -> Iterator[Finding]:
    """Pulls of `roles` have to be recorded, those of `readers` must not be."""
    try:
        excluded = _exclusions(client)
    except (BotoCoreError, ClientError) as error:
        yield skipped(
            f"registry {registry.place}: whether it records the proxy's pulls was not read: {error_text(error)}"
        )
        return
    for role in sorted(readers - excluded):
        yield warning(
            f"registry {registry.place} records what the catalogue reads as pulls of {role}: images look used that no "
            "client pulls",
            f"aws ecr register-pull-time-update-exclusion --region {registry.region} --principal-arn {role}",
        )
    for role in sorted(roles & excluded):
        yield failed(
            f"registry {registry.place} records no pulls of {role}: rules with {_SINCE_PULL} take away images that are "
            "pulled every day",
            f"aws ecr deregister-pull-time-update-exclusion --region {registry.region} --principal-arn {role}",
        )


def _exclusions(client: Any) -> set[str]:  # noqa: ANN401 - as above
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListPullTimeUpdateExclusions.html."""
    found: set[str] = set()
    more: dict[str, str] = {}
    while True:
        page = client.list_pull_time_update_exclusions(**more)
        found.update(page.get("pullTimeUpdateExclusions", []))
        if not page.get("nextToken"):
            return found
        more = {"nextToken": page["nextToken"]}


def _rules_by_pull(
    client: Any,  # noqa: ANN401 - as above
    registry: Registry,
    routing: Routing,
) -> Iterator[tuple[str, str, int]]:
    """Repository, action and days of each rule that looks at pulls."""
    for page in client.get_paginator("describe_repositories").paginate():
        for name in (str(repository["repositoryName"]) for repository in page["repositories"]):
            if routing.shown(registry.account, registry.region, name):
                policy = get_or_none(client.get_lifecycle_policy, repositoryName=name)
                rules = _by_pull(json.loads(policy["lifecyclePolicyText"])) if policy else ()
                yield from ((name, *rule) for rule in rules)


def _by_pull(policy: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html."""
    for rule in policy.get("rules", []):
        if rule["selection"]["countType"] == _SINCE_PULL:
            action = rule["action"]
            # `transition` names where to, which is `archive`.
            yield str(action.get("targetStorageClass", action["type"])), int(rule["selection"]["countNumber"])


CHECK = Check("lifecycle", Category.AWS, run, needs=("stack",))
