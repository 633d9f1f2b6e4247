"""Registries that ECR fills from a public registry: what the role may do there, and what the stack creates."""

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings
from stacks.ecr_actions import IMPORT, PULL, READ_CACHE_RULES, WRITE
from stacks.policy_limits import MANAGED_POLICY_LIMIT, POLICY_LIMIT, USUAL_MANAGED_POLICIES, managed_policies
from stacks.preflight import conflicts
from testbed.sandbox.cloud.simulation import decision
from tests.template import configurations, scale
from tests.template.synthesis import plain, readable, resources, role_statements, synthesize

NAME = "mirror"
ARN = "arn:aws:ecr:ap-southeast-2:123456789012:repository/"
RULE, TEMPLATE = "AWS::ECR::PullThroughCacheRule", "AWS::ECR::RepositoryCreationTemplate"
CREDENTIAL = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"


def role_policy(name: str) -> list[dict[str, Any]]:
    """The policy of the Lambda's role as IAM gets it, for IAM's simulation."""
    return [document([statement for role, statement in role_statements(name) if role.startswith("Identity")])]


def document(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [readable(statement) for statement in statements]}


def exact_settings(count: int) -> Settings:
    """A mirror with an allow-list of exact repositories."""
    names = json.dumps([exact(number) for number in range(count)])
    text = configurations.text(NAME).replace('["docker-hub/library/*", "docker-hub/grafana/*"]', names)
    return configurations.parse(text)


@functools.cache
def exact_mirrors(count: int) -> dict[str, Any]:
    return synthesize(exact_settings(count))


def exact(number: int) -> str:
    return f"docker-hub/library/image-{number:03}"


@pytest.mark.parametrize("action", IMPORT)
@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("docker-hub/library/nginx", "allowed"),
        ("docker-hub/grafana/grafana", "allowed"),
        ("k8s/pause", "allowed"),
        ("docker-hub/evil/miner", "explicitDeny"),
        ("docker-hub", "explicitDeny"),
        ("docker-hubs/library/nginx", "explicitDeny"),
        ("team/app", "explicitDeny"),
        ("payroll", "explicitDeny"),
    ],
)
def test_pulls_may_import_below_the_prefixes_of_mirrors_alone(action: str, repository: str, expected: str) -> None:
    assert decision(role_policy(NAME), action, ARN + repository) == expected


@pytest.mark.parametrize("count", [20, 30, 36, 60, 100, 150])
def test_many_exact_repositories_fit_into_the_policies_of_the_role(count: int) -> None:
    inline, *managed = map(scale.characters, scale.policies(exact_mirrors(count), "IdentityRole").values())
    assert inline <= POLICY_LIMIT
    assert max(managed, default=0) <= MANAGED_POLICY_LIMIT
    assert len(managed) <= USUAL_MANAGED_POLICIES
    assert managed_policies(exact_settings(count).registries) == len(managed)


def test_each_managed_policy_says_what_it_is_about() -> None:
    found = exact_mirrors(150)["Resources"]
    texts = {
        logical.rstrip("0123456789ABCDEF"): one["Properties"]["Description"].partition(": a part of ")[2]
        for logical, one in found.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and logical.startswith("Identity")
    }
    assert texts == {
        "IdentityRepositories": "the repositories that clients may pull",
        "IdentityImports": "the repositories into which a pull may make ECR import images",
        "IdentityOtherImports": (
            "the Deny of imports into all but the repositories into which a pull may make ECR import images"
        ),
    }


@pytest.mark.parametrize("count", [30, 36, 100])
def test_the_policies_of_many_exact_repositories_allow_their_imports_and_no_others(count: int) -> None:
    found = [document(each["Statement"]) for each in scale.policies(exact_mirrors(count), "IdentityRole").values()]
    for number in (*range(0, count, 7), count - 1):
        assert {decision(found, action, ARN + exact(number)) for action in (*IMPORT, *PULL)} == {"allowed"}
        assert decision(found, "ecr:PutImage", ARN + exact(number)) == "explicitDeny"
    assert {decision(found, action, f"{ARN}k8s/pause") for action in IMPORT} == {"allowed"}
    elsewhere = ARN.replace("ap-southeast-2", "us-east-1"), ARN.replace("123456789012", "210987654321")
    others = [
        *(ARN + name for name in (exact(count), f"{exact(0)}1", f"{exact(0)}/x", exact(0)[:-1], "docker-hub/a", "b")),
        *(start + exact(0) for start in elsewhere),
    ]
    for other in others:
        assert {decision(found, action, other) for action in (*IMPORT, *PULL)} == {"explicitDeny"}
    # The role may pull here, and not import.
    assert {decision(found, action, f"{ARN}team/app") for action in IMPORT} == {"explicitDeny"}


def test_more_exact_repositories_than_fit_are_refused_with_what_each_takes() -> None:
    with pytest.raises(SettingsError, match=r"602 take \d\d managed policies, .* three times that with pull_through"):
        exact_mirrors(600)


@pytest.mark.parametrize("place", ["us-east-1:123456789012", "ap-southeast-2:210987654321"])
def test_pulls_import_into_no_other_registry(place: str) -> None:
    arn = f"arn:aws:ecr:{place}:repository/docker-hub/library/nginx"
    assert {decision(role_policy(NAME), action, arn) for action in IMPORT} == {"explicitDeny"}


@pytest.mark.parametrize("action", sorted(set(WRITE) - set(IMPORT)))
def test_every_other_change_of_a_mirror_is_denied(action: str) -> None:
    assert decision(role_policy(NAME), action, ARN + "docker-hub/library/nginx") == "explicitDeny"


@pytest.mark.parametrize("repository", ["docker-hub/library/nginx", "team/app", "payroll"])
def test_without_a_mirror_every_import_is_denied(repository: str) -> None:
    assert {decision(role_policy("public"), action, ARN + repository) for action in IMPORT} == {"explicitDeny"}


def test_images_of_a_mirror_are_pulled_like_others() -> None:
    assert {decision(role_policy(NAME), action, ARN + "k8s/pause") for action in PULL} == {"allowed"}


def test_the_stack_creates_the_rules_with_a_template_for_their_repositories() -> None:
    rules = [rule["Properties"] for rule in resources(NAME, RULE).values()]
    assert rules == [
        {
            "EcrRepositoryPrefix": "docker-hub",
            "UpstreamRegistryUrl": "registry-1.docker.io",
            "CredentialArn": CREDENTIAL,
        },
        {"EcrRepositoryPrefix": "k8s", "UpstreamRegistryUrl": "registry.k8s.io"},
    ]
    templates = resources(NAME, TEMPLATE)
    for template in templates.values():
        assert template["Properties"]["AppliedFor"] == ["PULL_THROUGH_CACHE"]
        assert template["Properties"]["ImageTagMutability"] == "MUTABLE"
    assert [template["Properties"]["Prefix"] for template in templates.values()] == ["docker-hub", "k8s"]
    # The template is there before the first import.
    assert [rule["DependsOn"] for rule in resources(NAME, RULE).values()] == [[name] for name in templates]


def test_without_cache_rule_the_stack_creates_none() -> None:
    lines = configurations.text(NAME).splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(("cache_rule", "upstream_credential")))
    kinds = {resource["Type"] for resource in synthesize(configurations.parse(kept))["Resources"].values()}
    assert not kinds & {RULE, TEMPLATE}


def test_a_rule_of_another_account_is_refused_where_the_account_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "210987654321")
    with pytest.raises(SettingsError, match=r"registries\[1\]\.cache_rule = true: .* 123456789012, .* 210987654321"):
        synthesize(configurations.settings(NAME))


def test_a_rule_and_its_credential_belong_to_the_stacks_region() -> None:
    head, hub, k8s = configurations.text(NAME).split('repositories = ["', 2)
    elsewhere = f'{head}repositories = ["{hub}repositories = ["{k8s}'.replace(
        'region = "ap-southeast-2"\nrepositories = ["docker-hub', 'region = "us-east-1"\nrepositories = ["docker-hub'
    )
    found = {conflict.setting: conflict.cause for conflict in conflicts(configurations.parse(elsewhere))}
    assert "us-east-1" in found["registries[1].cache_rule = true"]
    assert "us-east-1" in found[f"registries[1].upstream_credential = {CREDENTIAL}"]


def test_without_nat_nothing_is_imported() -> None:
    text = configurations.text("nlb")
    mirror = '[[registries]]\naccount = "123456789012"\nregion = "ap-southeast-2"\nrepositories = ["quay/*"]\n'
    more = text.replace("[[registries]]\n", f"{mirror}pull_through = true\n[[registries]]\n", 1)
    (conflict,) = conflicts(configurations.parse(more))
    assert (conflict.setting, "registries[0]" in conflict.cause) == ("cluster.nat = false", True)


@pytest.mark.parametrize(("pull_through", "allowed"), [(True, {*IMPORT, *READ_CACHE_RULES}), (False, set())])
def test_the_endpoints_of_a_mirror_let_imports_pass(*, pull_through: bool, allowed: set[str]) -> None:
    text = configurations.text("nlb").replace("nat = false", "nat = true")
    if pull_through:
        text = text.replace('repositories = ["team/*"]', 'repositories = ["quay/*"]\npull_through = true')
    found = synthesize(configurations.parse(text))["Resources"].values()
    endpoints = [e["Properties"] for e in found if e["Type"] == "AWS::EC2::VPCEndpoint"]
    (policy,) = (e["PolicyDocument"] for e in endpoints if plain(e["ServiceName"]).endswith(".ecr.dkr"))
    for statement in policy["Statement"]:
        assert set(statement["Action"]) & {*IMPORT, *READ_CACHE_RULES} == allowed
