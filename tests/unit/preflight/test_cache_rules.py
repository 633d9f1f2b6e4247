"""Cache rules of mirrors before a deployment: missing, of others, or other than the settings say."""

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from cli.preflight.checks import cache_rules
from stacks.ecr_actions import READ_CACHE_RULES
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.unit.cli import operator_account as account
from tests.unit.preflight import before

ARN = f"arn:aws:secretsmanager:{REGION}:{account.ACCOUNT}:secret:ecr-pullthroughcache/hub-AbCdEf"
OTHER_ARN = ARN.replace("hub-", "new-")
URL = "registry-1.docker.io"
BY_STACK = f'upstream = "docker.io"\ncache_rule = true\nupstream_credential = "{ARN}"'
OF_OTHER_SERVICES = ("GetCallerIdentity", "DescribeStacks", "ListStackResources", "GetTemplate")
RULE, TEMPLATE = "AWS::ECR::PullThroughCacheRule", "AWS::ECR::RepositoryCreationTemplate"


def rule(prefix: str = "docker-hub", url: str = URL, credential: str | None = ARN) -> dict[str, Any]:
    named = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url}
    return named | ({"credentialArn": credential} if credential else {})


def deployed(url: str = URL, credential: str = ARN) -> dict[str, Answer]:
    """A stack with the rule and its template."""
    listed = [
        {
            "ResourceType": kind,
            "LogicalResourceId": f"CacheRules{number}",
            "PhysicalResourceId": "docker-hub",
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for number, kind in enumerate((RULE, TEMPLATE))
    ]
    properties = {"EcrRepositoryPrefix": "docker-hub", "UpstreamRegistryUrl": url, "CredentialArn": credential}
    resources = {"CacheRules0": {"Type": RULE, "Properties": properties}}
    stack = {"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "UPDATE_COMPLETE"}
    return {
        "DescribeStacks": {"Stacks": [stack]},
        "ListStackResources": {"StackResourceSummaries": listed},
        "GetTemplate": {"TemplateBody": json.dumps({"Resources": resources})},
    }


def found(
    keys: str,
    *rules: Mapping[str, Any],
    templates: tuple[str, ...] = (),
    stack: Mapping[str, Answer] | None = None,
    replaced: str = account.ACCOUNT,
    region: str = REGION,
) -> list[Finding]:
    """What the check finds for a mirror below docker-hub/ with these keys, in an account with these rules."""
    place = f'account = "{replaced}"\nregion = "{region}"'
    mirror = f'{place}\nrepositories = ["docker-hub/library/*"]\npull_through = true\n{keys}'
    tables = f"[[registries]]\n{mirror}\n[[registries]]"
    answers: dict[str, Answer] = {
        "DescribePullThroughCacheRules": {"pullThroughCacheRules": list(rules)},
        "DescribeRepositoryCreationTemplates": {
            "repositoryCreationTemplates": [{"prefix": prefix} for prefix in templates]
        },
    }
    context = before.context(before.settings(replaced=("[[registries]]", tables)), answers | dict(stack or {}))
    findings = [*examine([cache_rules.CHECK], context)]
    asked = {f"ecr:{name}" for name, _ in cast("FakeAws", context.aws).asked}
    # An endpoint of the stack lets these pass.
    assert asked - set(READ_CACHE_RULES) <= {f"ecr:{name}" for name in OF_OTHER_SERVICES}
    return findings


def only(findings: list[Finding], verdict: Verdict) -> Finding:
    (finding,) = findings
    assert finding.verdict is verdict, finding
    return finding


def test_without_mirrors_nothing_is_asked_for() -> None:
    context = before.context()
    assert [*examine([cache_rules.CHECK], context)] == []
    assert cast("FakeAws", context.aws).asked == []


@pytest.mark.parametrize(("rules", "stack"), [((), None), ((rule(),), deployed())])
def test_a_rule_that_a_deployment_makes_or_has_made_is_right(
    rules: tuple[Mapping[str, Any], ...], stack: Mapping[str, Answer] | None
) -> None:
    assert "docker.io" in only(found(BY_STACK, *rules, stack=stack), Verdict.OK).message


def test_a_rule_of_others_fails_the_first_deployment() -> None:
    finding = only(found(BY_STACK, rule()), Verdict.FAILED)
    assert "this stack did not make it" in finding.message
    assert "remove cache_rule and upstream_credential to use it" in finding.hint
    assert f"delete-pull-through-cache-rule --ecr-repository-prefix docker-hub --region {REGION}" in finding.hint


def test_a_template_of_others_fails_the_first_deployment() -> None:
    finding = only(found(BY_STACK, rule("quay", "quay.io", None), templates=("quay", "docker-hub")), Verdict.FAILED)
    assert "the creation template of the cache rule docker-hub" in finding.message
    assert "delete-repository-creation-template --prefix docker-hub" in finding.hint
    assert only(found(BY_STACK, templates=("quay",)), Verdict.OK)


@pytest.mark.parametrize(
    ("of_ecr", "of_stack"),
    [
        pytest.param(OTHER_ARN, OTHER_ARN, id="the settings have a new credential"),
        pytest.param(OTHER_ARN, ARN, id="the rule was changed without the stack"),
        pytest.param(ARN, OTHER_ARN, id="the rule and the settings were changed, and not the stack"),
    ],
)
def test_a_credential_that_no_deployment_can_change_is_named_with_the_way_to_do_it(of_ecr: str, of_stack: str) -> None:
    finding = only(found(BY_STACK, rule(credential=of_ecr), stack=deployed(credential=of_stack)), Verdict.FAILED)
    assert f"has upstream {URL} and credential {OTHER_ARN}" in finding.message
    assert f"the settings say upstream {URL} and credential {ARN}" in finding.message
    assert finding.hint.startswith("remove cache_rule and upstream_credential, and deploy")


def test_an_upstream_that_no_deployment_can_change_is_named() -> None:
    finding = only(found(BY_STACK, rule(url="ghcr.io"), stack=deployed("ghcr.io")), Verdict.FAILED)
    assert "has upstream ghcr.io" in finding.message


def test_a_rule_of_the_stack_that_was_deleted_is_named() -> None:
    finding = only(found(BY_STACK, stack=deployed()), Verdict.FAILED)
    assert "was deleted" in finding.message
    assert finding.hint.startswith("remove cache_rule and upstream_credential, and deploy")


@pytest.mark.parametrize(("rules", "stack"), [((), None), ((rule(),), deployed())])
def test_two_tables_below_one_prefix_have_the_rule_of_the_one_that_makes_it(
    rules: tuple[Mapping[str, Any], ...], stack: Mapping[str, Answer] | None
) -> None:
    second = 'repositories = ["dh/*"]\nstrip = "dh/"\nprefix = "docker-hub/a/"\npull_through = true'
    table = f'[[registries]]\naccount = "{account.ACCOUNT}"\nregion = "{REGION}"\n{second}'
    assert only(found(f"{BY_STACK}\n{table}", *rules, stack=stack), Verdict.OK)


@pytest.mark.parametrize("rules", [(rule(),), ()])
def test_a_rule_whose_setting_was_removed_is_deleted_by_the_deployment(rules: tuple[Mapping[str, Any], ...]) -> None:
    """CloudFormation deletes by the prefix: what the operator makes before the deployment, too."""
    finding = only(found('upstream = "docker.io"', *rules, stack=deployed()), Verdict.WARNING)
    assert finding.message.startswith("a deployment deletes the cache rule docker-hub")
    assert "imports nothing for docker-hub/library/*" in finding.message
    assert finding.hint.startswith("set cache_rule = true to keep it; or deploy, then at once aws ecr create-pull")


def test_a_rule_of_the_same_prefix_in_another_region_is_not_of_the_stack() -> None:
    other = only(found('upstream = "docker.io"', rule(), stack=deployed(), region="eu-west-1"), Verdict.OK)
    assert "no deployment of this stack changes it" in other.message


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ('upstream = "docker.io"', f"{URL} --credential-arn ARN --region {REGION}; or set cache_rule"),
        ('upstream = "quay.io"', f"quay.io --region {REGION}; or set cache_rule"),
        ("", f"UPSTREAM --credential-arn ARN --region {REGION}; or set cache_rule"),
    ],
)
def test_a_rule_that_the_operator_has_to_make_is_named_with_its_command(keys: str, command: str) -> None:
    finding = only(found(keys, rule("quay", "quay.io")), Verdict.FAILED)
    assert "imports nothing for docker-hub/library/*" in finding.message
    begin = "aws ecr create-pull-through-cache-rule --ecr-repository-prefix docker-hub --upstream-registry-url "
    assert finding.hint.startswith(begin + command)


@pytest.mark.parametrize("keys", ['upstream = "docker.io"', ""])
def test_a_rule_of_the_operator_is_right_whatever_its_credential(keys: str) -> None:
    assert only(found(keys, rule(credential=OTHER_ARN)), Verdict.OK)


def test_a_rule_of_another_upstream_than_the_settings_name_is_wrong() -> None:
    finding = only(found('upstream = "docker.io"', rule(url="ghcr.io")), Verdict.FAILED)
    assert "imports from ghcr.io, and upstream = docker.io needs registry-1.docker.io" in finding.message


def test_rules_of_another_account_are_skipped() -> None:
    assert "210987654321" in only(found("", replaced="210987654321"), Verdict.SKIPPED).message
