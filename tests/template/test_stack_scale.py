"""500 routes over 20 accounts and 4 regions: everything fits, and the policies together deny what one would."""

import functools
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_fn.contract import secret
from lambda_fn.contract.errors import SettingsError
from stacks.ecr_actions import PULL
from stacks.policy_limits import MANAGED_POLICY_LIMIT, POLICY_LIMIT, USUAL_MANAGED_POLICIES, managed_policies
from tests.template import configurations, scale
from tests.template.synthesis import listed, plain, synthesize

ROLES = ("IdentityRole", "WatcherIdentityRole")


@functools.cache
def template() -> dict[str, Any]:
    return synthesize(scale.settings())


@functools.cache
def statements(role: str) -> tuple[dict[str, Any], ...]:
    found = scale.policies(template(), role).values()
    return tuple(statement for policy in found for statement in policy["Statement"])


@functools.cache
def expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in patterns))


def decision(role: str, action: str, resource: str) -> str:
    """As IAM evaluates the policies of an identity: a Deny outranks every Allow."""
    effects = set()
    for statement in statements(role):
        key = "NotResource" if "NotResource" in statement else "Resource"
        named = expression(tuple(map(plain, listed(statement[key])))).fullmatch(resource) is not None
        if action in listed(statement["Action"]) and named is (key == "Resource"):
            effects.add(statement["Effect"])
    return "explicitDeny" if "Deny" in effects else "allowed" if effects else "implicitDeny"


def arns() -> Iterator[tuple[str, str]]:
    """Each pattern's registry and a repository that it allows."""
    for registry in scale.settings().registries:
        start = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/"
        for pattern in registry.repositories:
            yield start, pattern.replace("*", "x/y")


@pytest.mark.parametrize("role", ROLES)
def test_every_policy_has_at_most_the_characters_that_iam_allows(role: str) -> None:
    inline, *managed = map(scale.characters, scale.policies(template(), role).values())
    assert inline <= POLICY_LIMIT
    assert 1 < len(managed) <= USUAL_MANAGED_POLICIES
    assert max(managed) <= MANAGED_POLICY_LIMIT
    assert len(managed) <= managed_policies(scale.settings().registries)


def test_the_policies_that_the_check_counts_are_those_of_the_lambda() -> None:
    found = configurations.parse(scale.text(routes=1_000))
    _, *managed = scale.policies(synthesize(found), "IdentityRole")
    assert managed_policies(found.registries) == len(managed) > USUAL_MANAGED_POLICIES


def test_the_role_may_pull_each_of_500_repositories_and_push_to_none() -> None:
    for start, name in arns():
        assert {decision("IdentityRole", action, start + name) for action in PULL} == {"allowed"}
        assert decision("IdentityRole", "ecr:PutImage", start + name) == "explicitDeny"


def test_every_other_repository_is_denied_to_the_role() -> None:
    found, chosen = [*arns()], random.Random(1)  # noqa: S311 - the same names in each run
    allowed = {start + name for start, name in found}
    starts = [*dict.fromkeys(start for start, _ in found), "arn:aws:ecr:eu-west-1:999999999999:repository/"]
    others = {
        f"{chosen.choice(starts)}{name[: chosen.randrange(len(name) + 1)]}{chosen.choice(['', 'x', '-1', '/z'])}"
        for _, name in found
        for _ in range(6)
    } | {f"{start}{name}x" for start, name in found if not name.endswith("x/y")}
    patterns = expression(
        tuple(
            f"arn:aws:ecr:{registry.region}:{registry.account}:repository/{pattern}"
            for registry in scale.settings().registries
            for pattern in registry.repositories
        )
    )
    outside = [each for each in others - allowed if not patterns.fullmatch(each)]
    assert len(outside) > 2_000
    assert {decision("IdentityRole", "ecr:BatchGetImage", each) for each in outside} == {"explicitDeny"}


def test_the_watcher_reads_each_of_500_repositories_and_no_other() -> None:
    for start, name in arns():
        assert decision("WatcherIdentityRole", "ecr:BatchGetImage", start + name) == "allowed"
        assert decision("WatcherIdentityRole", "ecr:PutImage", start + name) == "implicitDeny"
    elsewhere = "arn:aws:ecr:eu-west-1:210000000001:repository/payroll"
    assert decision("WatcherIdentityRole", "ecr:BatchGetImage", elsewhere) == "implicitDeny"


def test_every_row_is_below_its_limit_and_the_document_has_every_row() -> None:
    rows = [*scale.rows()]
    document = scale.DOCUMENT.read_text("utf-8")
    assert [name for name, _, _ in rows if f"| {name} |" not in document] == []
    sizes = {name: (number(size), number(limit)) for name, size, limit in rows if limit != "-"}
    assert {name: sizes[name] for name in sizes if sizes[name][0] > sizes[name][1]} == {}


def number(text: str) -> float:
    return float(text.split(maxsplit=1)[0].replace(",", ""))


def test_a_list_of_1400_patterns_fails_the_synthesis_with_numbers() -> None:
    with pytest.raises(SettingsError, match=r"1400 take \d\d managed policies, and IAM .* at most 20, of 6144"):
        synthesize(configurations.parse(scale.text(routes=1_400)))


def test_more_registries_than_a_policy_names_fail_the_synthesis_with_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "TOKEN_BYTES", 1_000)  # with longer ones the Secret is too small first
    with pytest.raises(SettingsError, match=r"with 200 of them .* \d{5} characters beside the patterns, .* 10240"):
        synthesize(configurations.parse(scale.text(routes=200, accounts=200, regions=("eu-west-1",))))
