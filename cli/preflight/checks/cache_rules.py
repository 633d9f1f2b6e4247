"""Whether ECR has the pull-through cache rules of the mirrors, and whether a deployment can make those of the stack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from lambda_fn.contract.public_registries import public_registry
from lambda_fn.settings.mirrors import Mirror
from lambda_fn.settings.registry import Registry, by_place, patterns_text

_RULE, _TEMPLATE = "AWS::ECR::PullThroughCacheRule", "AWS::ECR::RepositoryCreationTemplate"
_AGAIN = (
    "remove cache_rule and upstream_credential, and deploy; then set them again, and deploy. Meanwhile ECR imports "
    "nothing, and serves what it has"
)
_Rule = Mapping[str, Any]


def run(context: CheckContext) -> Iterator[Finding]:
    """Each mirror in the operator's own account."""
    mirrors = [registry for registry in context.settings.registries if registry.pull_through]
    own = context.client("sts").get_caller_identity()["Account"] if mirrors else ""
    stack_region = context.settings.cluster.region
    for (account, region), tables in by_place(mirrors).items():
        if account != own:
            yield skipped(f"registry {account} in {region}: the cache rules of another account were not read")
            continue
        client = context.client("ecr", region=region)
        pages = client.get_paginator("describe_pull_through_cache_rules").paginate()
        rules = {rule["ecrRepositoryPrefix"]: rule for page in pages for rule in page["pullThroughCacheRules"]}
        ours = {registry.mirror.prefix for registry in tables if registry.mirror and registry.cache_rule}
        for registry in tables:
            if registry.mirror and registry.cache_rule:
                yield _of_stack(context, registry, registry.mirror, rules)
            elif not registry.mirror or registry.mirror.prefix in ours:
                continue
            elif region == stack_region and registry.mirror.prefix in context.stack.of(_RULE):
                yield _to_be_deleted(registry, registry.mirror)
            else:
                yield _of_operator(registry, registry.mirror, rules, is_in_stack_region=region == stack_region)


def _of_stack(context: CheckContext, registry: Registry, mirror: Mirror, rules: Mapping[str, _Rule]) -> Finding:
    """A rule that the stack makes, with a template.

    To change one, CloudFormation makes a second rule before it deletes the first, and ECR allows one for a prefix:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-pullthroughcacherule.html
    """
    rule, title = rules.get(mirror.prefix), _title(registry, mirror)
    if mirror.prefix not in context.stack.of(_RULE):
        command = f"aws ecr delete-pull-through-cache-rule --ecr-repository-prefix {mirror.prefix}"
        if rule:
            return _foreign(title, f"{command} --region {registry.region}")
        if mirror.prefix in _foreign_templates(context, registry.region):
            command = f"aws ecr delete-repository-creation-template --prefix {mirror.prefix}"
            return _foreign(f"the creation template of {title}", f"{command} --region {registry.region}")
        return ok(f"a deployment makes {title}, for {mirror.upstream}")
    if rule is None:
        return failed(f"{title} was deleted, and a deployment does not make it again", _AGAIN)
    wanted = (public_registry(mirror.upstream).url, registry.upstream_credential)
    found = [(rule["upstreamRegistryUrl"], rule.get("credentialArn")), *_deployed(context.template, mirror.prefix)]
    if other := next((each for each in found if each != wanted), None):
        return failed(
            f"{title} has {_text(*other)}, and the settings say {_text(*wanted)}: a deployment cannot change a rule, "
            "and fails",
            _AGAIN,
        )
    return ok(f"{title} imports from {mirror.upstream}")


def _foreign(title: str, command: str) -> Finding:
    return failed(
        f"{title} exists, and this stack did not make it: a deployment with cache_rule = true fails",
        f"remove cache_rule and upstream_credential to use it as it is; or {command}, which deletes no repository",
    )


def _foreign_templates(context: CheckContext, region: str) -> set[str]:
    pages = context.client("ecr", region=region).get_paginator("describe_repository_creation_templates").paginate()
    found = {str(one["prefix"]) for page in pages for one in page["repositoryCreationTemplates"]}
    return found - {*context.stack.of(_TEMPLATE)}


def _deployed(template: Mapping[str, Any], prefix: str) -> Sequence[tuple[str, str | None]]:
    """Upstream and credential of a rule as it was deployed last: CloudFormation compares with these."""
    properties = [each["Properties"] for each in template["Resources"].values() if each["Type"] == _RULE]
    return [
        (each["UpstreamRegistryUrl"], each.get("CredentialArn"))
        for each in properties
        if each["EcrRepositoryPrefix"] == prefix
    ]


def _to_be_deleted(registry: Registry, mirror: Mirror) -> Finding:
    """A rule of the stack whose setting was removed. CloudFormation deletes what has its prefix, also a new one."""
    return warning(
        f"a deployment deletes {_title(registry, mirror)}, which this stack made: ECR then imports nothing for "
        f"{patterns_text([registry])} until there is one again",
        f"set cache_rule = true to keep it; or deploy, then at once {_creation(registry, mirror)}",
    )


def _creation(registry: Registry, mirror: Mirror) -> str:
    upstream = public_registry(mirror.upstream) if mirror.upstream else None
    credential = " --credential-arn ARN" if not upstream or upstream.needs_credential else ""
    return (
        f"aws ecr create-pull-through-cache-rule --ecr-repository-prefix {mirror.prefix} --upstream-registry-url "
        f"{upstream.url if upstream else 'UPSTREAM'}{credential} --region {registry.region}"
    )


def _of_operator(
    registry: Registry, mirror: Mirror, rules: Mapping[str, _Rule], *, is_in_stack_region: bool
) -> Finding:
    """A rule that the operator makes."""
    rule, title = rules.get(mirror.prefix), _title(registry, mirror)
    if rule is None:
        alternative = "; or set cache_rule = true" if is_in_stack_region else ""
        return failed(
            f"{title} does not exist: ECR imports nothing for {patterns_text([registry])}",
            f"{_creation(registry, mirror)}{alternative}",
        )
    upstream = public_registry(mirror.upstream) if mirror.upstream else None
    if upstream and rule["upstreamRegistryUrl"] != upstream.url:
        return failed(
            f"{title} imports from {rule['upstreamRegistryUrl']}, and upstream = {upstream.name} needs {upstream.url}",
            "correct upstream, or replace the rule",
        )
    return ok(f"{title} imports from {rule['upstreamRegistryUrl']}: no deployment of this stack changes it")


def _title(registry: Registry, mirror: Mirror) -> str:
    return f"the cache rule {mirror.prefix} of {registry.place}"


def _text(url: str, credential: str | None) -> str:
    return f"upstream {url} and {f'credential {credential}' if credential else 'no credential'}"


CHECK = Check("cache-rules", Category.AWS, run, needs=("aws",), runbook="docs/configuration.md")
