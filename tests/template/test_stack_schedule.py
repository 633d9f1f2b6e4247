import json

import pytest

from tests.template import configurations
from tests.template.synthesis import Resource, logical_id, only, readable, resources, role_statements

SCHEDULE = "AWS::Scheduler::Schedule"


def refreshing(name: str) -> Resource:
    """The schedule of the refresh, which has no input of its own."""
    (found,) = (item for item in resources(name, SCHEDULE).values() if "Input" not in item["Properties"]["Target"])
    return found


@pytest.mark.parametrize(
    ("name", "expression", "window"),
    [
        ("public", "rate(240 minutes)", {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}),
        ("several", "rate(120 minutes)", {"Mode": "OFF"}),
    ],
)
def test_the_schedule_has_the_period_and_window_of_the_settings(name: str, expression: str, window: object) -> None:
    schedule = refreshing(name)["Properties"]
    assert (schedule["ScheduleExpression"], schedule["FlexibleTimeWindow"]) == (expression, window)


def test_scheduler_retries_a_run_for_an_hour_and_then_sends_it_to_the_dead_letter_queue() -> None:
    function = logical_id("public", "AWS::Lambda::Function", "Refresher")
    queue = logical_id("public", "AWS::SQS::Queue", "Failures")
    role = logical_id("public", "AWS::IAM::Role", "Schedule")
    assert only("public", SCHEDULE)["Target"] == {
        "Arn": {"Fn::GetAtt": [function, "Arn"]},
        "RoleArn": {"Fn::GetAtt": [role, "Arn"]},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": [queue, "Arn"]}},
    }


def test_the_role_of_scheduler_may_only_invoke_the_function_and_send_to_the_queue() -> None:
    function = logical_id("public", "AWS::Lambda::Function", "Refresher")
    queue = logical_id("public", "AWS::SQS::Queue", "Failures")
    assert [readable(s) for role, s in role_statements("public") if role.startswith("Schedule")] == [
        {
            "Sid": "InvokeLambda",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": [f"${{{function}.Arn}}"],
        },
        {
            "Sid": "SendToDeadLetterQueue",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": [f"${{{queue}.Arn}}"],
        },
    ]


def test_only_schedules_of_the_stacks_group_may_assume_the_role() -> None:
    group = logical_id("public", "AWS::Scheduler::ScheduleGroup")
    (trust,) = only("public", "AWS::IAM::Role", "Schedule")["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]}},
        },
    }
    assert only("public", SCHEDULE)["GroupName"] == {"Ref": group}


def test_two_installations_in_one_account_have_different_schedule_groups() -> None:
    names = {only(name, "AWS::Scheduler::ScheduleGroup")["Name"] for name in ("public", "several")}
    assert len(names) == 2


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_schedule_is_created_after_everything_a_run_needs(name: str) -> None:
    schedule = refreshing(name)
    ready = "AccessEntry" if name == "external" else "FirstRun"
    assert any(logical_id.startswith(ready) for logical_id in schedule["DependsOn"])


def test_the_canary_schedule_has_no_window_no_retries_and_no_dead_letter_queue() -> None:
    found = resources("several", SCHEDULE)
    (canary,) = (item["Properties"] for item in found.values() if "Input" in item["Properties"]["Target"])
    assert len(found) == 2
    assert canary["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(canary["Target"]["Input"]) == {"canary": True}
    assert canary["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert "DeadLetterConfig" not in canary["Target"]


def test_without_a_canary_there_is_only_the_refresh_schedule() -> None:
    assert len(resources("public", SCHEDULE)) == 1
