"""What the catalogue adds to the stack: a schedule, rights to read images, and no pull times; and the stack without."""

import pytest

from tests.template import configurations
from tests.template.synthesis import logical_id, only, readable, resources, role_statements, synthesize, template

FUNCTION, RULE = "AWS::Lambda::Function", "AWS::Events::Rule"
EXCLUSION = "AWS::ECR::PullTimeUpdateExclusion"
CATALOGUE = "\n[page]\ncatalogue = true\n"


def test_a_run_starts_each_five_minutes_and_is_not_repeated() -> None:
    function = logical_id("guarded", FUNCTION, "Watcher")
    rule = only("guarded", RULE, "WatcherCatalogue")
    (target,) = rule["Targets"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
    assert target["Input"] == '{"catalogue":true}'
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    retries = only("guarded", "AWS::Lambda::EventInvokeConfig", "Watcher")
    assert (retries["FunctionName"], retries["MaximumRetryAttempts"]) == ({"Ref": function}, 0)


def test_no_run_starts_before_its_reads_are_excluded_from_pull_times_and_it_has_access() -> None:
    """By a reference: CloudFormation creates nothing that depends on a resource whose condition is false."""
    rule = resources("guarded", RULE)[logical_id("guarded", RULE, "WatcherCatalogue")]
    exclusion = logical_id("guarded", EXCLUSION)
    condition = resources("guarded", EXCLUSION)[exclusion]["Condition"]
    reference = {"Fn::If": [condition, {"Ref": exclusion}, "by the owners of the registries"]}
    assert rule["Properties"]["Description"]["Fn::Join"][1][-1] == reference
    assert not any(each.startswith("WatcherCatalogueExclusion") for each in rule["DependsOn"])
    assert any(each.startswith("WatcherAccessEntry") for each in rule["DependsOn"])


def test_the_watchers_role_is_excluded_from_pull_times_in_the_registry_of_the_stack() -> None:
    (exclusion,) = resources("guarded", EXCLUSION).values()
    role = logical_id("guarded", "AWS::IAM::Role", "WatcherIdentity")
    assert exclusion["Properties"] == {"PrincipalArn": {"Fn::GetAtt": [role, "Arn"]}}
    condition = template("guarded")["Conditions"][exclusion["Condition"]]
    assert condition == {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]}


@pytest.mark.parametrize(("region", "exclusions"), [("eu-west-1", 1), ("us-east-1", 0)])
def test_cloudformation_excludes_the_role_only_in_its_own_region(region: str, exclusions: int) -> None:
    text = configurations.text("several").replace('region = "us-east-1"', 'region = "eu-west-1"')
    text = text.replace(
        'account = "123456789012"\nregion = "eu-west-1"', f'account = "123456789012"\nregion = "{region}"'
    )
    text = text.replace(
        'account = "210987654321"\nregion = "eu-west-1"', f'account = "210987654321"\nregion = "{region}"'
    )
    found = synthesize(configurations.parse(text + CATALOGUE))
    assert sum(each["Type"] == EXCLUSION for each in found["Resources"].values()) == exclusions


def test_the_role_reads_allowed_images_and_lists_repositories_and_nothing_else_of_ecr() -> None:
    found = {s["Sid"]: readable(s) for role, s in role_statements("guarded") if role.startswith("Watcher")}
    assert {sid for sid, one in found.items() if "ecr:" in str(one)} == {"ReadImages", "ListRepositories"}
    assert found["ReadImages"]["Action"] == ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
    assert found["ReadImages"]["Resource"] == ["arn:aws:ecr:ap-southeast-2:123456789012:repository/*"]
    assert found["ListRepositories"]["Resource"] == ["arn:aws:ecr:ap-southeast-2:123456789012:repository/*"]


def test_without_the_catalogue_there_is_no_schedule_of_it_no_exclusion_and_no_right() -> None:
    assert resources("public", EXCLUSION) == {}
    assert [name for name in template("public")["Resources"] if "Catalogue" in name] == []
    assert not [s for role, s in role_statements("public") if role.startswith("Watcher") and s["Sid"] == "ReadImages"]
