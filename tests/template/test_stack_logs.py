"""Every function writes to a log group of the stack, with the retention, key and deletion policy of the settings."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.template import configurations, snapshots
from tests.template.synthesis import listed, plain, resources, role_statements, template

NAMES = tuple(dict.fromkeys((*configurations.NAMES, *snapshots.NAMES, "all")))
GROUP, FUNCTION = "AWS::Logs::LogGroup", "AWS::Lambda::Function"


def groups_by_function(name: str) -> dict[str, Mapping[str, Any]]:
    """The log group of each function, found by its `LoggingConfig`."""
    groups = resources(name, GROUP)
    found = {}
    for function, resource in resources(name, FUNCTION).items():
        reference = resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {})
        assert reference.get("Ref") in groups, f"{function} writes to a log group that Lambda creates"
        found[function] = groups[reference["Ref"]]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_function_writes_to_a_log_group_of_the_stack_with_its_retention_and_key(name: str) -> None:
    settings, groups = configurations.settings(name), groups_by_function(name)
    assert groups
    keys = [{"Fn::GetAtt": [key, "Arn"]} for key in resources(name, "AWS::KMS::Key")]
    for function, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == settings.refresh.log_retention_days, function
        assert group["Properties"].get("KmsKeyId") == (keys[0] if keys else None), function
    # Every log group belongs to a function.
    assert {id(group) for group in groups.values()} == {id(group) for group in resources(name, GROUP).values()}


@pytest.mark.parametrize("name", NAMES)
def test_only_the_logs_of_the_refresher_and_of_the_deployment_outlive_the_stack(name: str) -> None:
    """A first deployment that is rolled back would delete the only place of an error that is long."""
    kept = {f for f, group in groups_by_function(name).items() if group["DeletionPolicy"] == "Retain"}
    deploying = {"AWSCDKTri", "WorkloadK"} if configurations.settings(name).manifests != "external" else set()
    assert {function[:9] for function in kept} == {"Refresher", *deploying}
    assert {group["DeletionPolicy"] for group in groups_by_function(name).values()} <= {"Retain", "Delete"}


@pytest.mark.parametrize("name", NAMES)
def test_only_the_namespace_log_groups_and_the_key_outlive_the_stack(name: str) -> None:
    found = template(name)["Resources"].items()
    kept = {logical for logical, r in found if r.get("DeletionPolicy", "Delete") != "Delete"}
    settings = configurations.settings(name)
    # The key, because it decrypts the log groups that remain.
    key = ["EncryptionKey"] if settings.encryption == "stack" else []
    namespace = ["WorkloadNamespace"] if settings.manifests == "kubectl" else []
    deployment = ["DeploymentLog"] if settings.manifests != "external" else []
    assert {logical[:-8] for logical in kept} == {"Log", *deployment, *key, *namespace}


@pytest.mark.parametrize("name", NAMES)
def test_no_role_can_create_a_log_group_after_the_stacks_own_is_deleted(name: str) -> None:
    """With the rights of the function's role, Lambda creates one for a line that comes late."""
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
