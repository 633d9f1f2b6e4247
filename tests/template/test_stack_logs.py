"""Every function writes into a log group that the stack made, keeps as long as set, and answers for at the end."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.template import configurations, snapshots
from tests.template.synthesis import listed, plain, resources, role_statements, template

NAMES = tuple(dict.fromkeys((*configurations.NAMES, *snapshots.NAMES, "all")))
GROUP, FUNCTION = "AWS::Logs::LogGroup", "AWS::Lambda::Function"
UNINSTALL = (configurations.ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("\n## Uninstall\n")[1]


def groups_by_function(name: str) -> dict[str, Mapping[str, Any]]:
    """The log group of each function, found by its `LoggingConfig`."""
    groups = resources(name, GROUP)
    found = {}
    for function, resource in resources(name, FUNCTION).items():
        reference = resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {})
        assert reference.get("Ref") in groups, f"{function} writes into a log group that Lambda makes"
        found[function] = groups[reference["Ref"]]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_function_writes_into_a_log_group_of_the_stack_with_its_retention_and_key(name: str) -> None:
    settings, groups = configurations.settings(name), groups_by_function(name)
    assert groups
    keys = [{"Fn::GetAtt": [key, "Arn"]} for key in resources(name, "AWS::KMS::Key")]
    for function, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == settings.refresh.log_retention_days, function
        assert group["Properties"].get("KmsKeyId") == (keys[0] if keys else None), function
    # None is left that no function writes to.
    assert {id(group) for group in groups.values()} == {id(group) for group in resources(name, GROUP).values()}


@pytest.mark.parametrize("name", NAMES)
def test_the_refreshers_log_alone_outlives_the_stack(name: str) -> None:
    kept = {f for f, group in groups_by_function(name).items() if group["DeletionPolicy"] == "Retain"}
    assert {function[:9] for function in kept} == {"Refresher"}
    assert {group["DeletionPolicy"] for group in groups_by_function(name).values()} <= {"Retain", "Delete"}


@pytest.mark.parametrize("name", NAMES)
def test_what_outlives_the_stack_is_what_the_document_lists(name: str) -> None:
    kept = {r["Type"] for r in template(name)["Resources"].values() if r.get("DeletionPolicy", "Delete") != "Delete"}
    said = {GROUP: "the Lambda's log group", "AWS::KMS::Key": "the key"}
    assert kept <= set(said)
    assert all(said[kind] in " ".join(UNINSTALL.split()) for kind in kept)


@pytest.mark.parametrize("name", NAMES)
def test_no_role_can_make_a_log_group_when_the_stacks_own_is_gone(name: str) -> None:
    """Lambda makes one in the name of the function's role, when a line comes late."""
    making = {"logs:CreateLogGroup", "logs:*", "*"}
    statements = list(role_statements(name))
    for role, resource in resources(name, "AWS::IAM::Role").items():
        own = [s for whose, s in statements if whose == role]
        allowed = {action for s in own if s["Effect"] == "Allow" for action in listed(s["Action"])}
        managed = [plain(arn) for arn in resource["Properties"].get("ManagedPolicyArns", [])]
        denied = {
            action
            for s in own
            if s["Effect"] == "Deny" and s.get("Resource") == "*" and "Condition" not in s
            for action in listed(s["Action"])
        }
        assert not allowed & making, role
        assert not managed or "logs:CreateLogGroup" in denied, f"{role} has {managed}"
