"""The watcher: which events reach it, its queues, its function and its role; and the stack without it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from lambda_fn.contract.ecr_events import DETAIL_TYPES, Action
from lambda_fn.contract.errors import EventError
from lambda_fn.job import image_event
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing
from stacks.image_events import PATTERN_LIMIT, event_pattern
from tests.fakes.hints import event
from tests.template import configurations
from tests.template.synthesis import (
    Resource,
    logical_id,
    only,
    readable,
    resources,
    role_statements,
    synthesize,
    template,
)

FUNCTION, QUEUE, RULE = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::Events::Rule"
SOURCE = "AWS::Lambda::EventSourceMapping"
NAMES = st.from_regex(r"[ab*]{1,3}(?:/[ab*]{1,2}){0,2}", fullmatch=True)


def registry(*repositories: str, account: str = "123456789012", region: str = "ap-southeast-2") -> Registry:
    return Registry(account=account, region=region, repositories=repositories)


def matches(registries: tuple[Registry, ...], sent: Any) -> bool:  # noqa: ANN401 - moto names no type for it
    """As moto matches it, which follows EventBridge's documentation."""
    return bool(EventPattern.load(json.dumps(event_pattern(registries, [*Action]))).matches_event(sent))


def kinds_of(rule: Resource) -> tuple[list[str], Any]:
    pattern = rule["EventPattern"]
    return pattern["detail-type"], {key: value for key, value in pattern["detail"].items() if key != "repository-name"}


DELETIONS = (["ECR Image Action"], {"action-type": ["DELETE"], "result": ["SUCCESS"]})


def arrivals(*actions: str) -> tuple[list[str], Any]:
    ways = [{"action-type": [*actions], "result": ["SUCCESS"]}, {"sync-status": ["SUCCESS"]}]
    return ["ECR Image Action", "ECR Replication Action", "ECR Pull Through Cache Action"], {"$or": ways}


@given(
    st.lists(NAMES, min_size=1, max_size=4, unique=True),
    st.text("ab/", min_size=2, max_size=6),
    st.sampled_from([*DETAIL_TYPES.values()]),
)
def test_every_event_that_the_watcher_follows_matches_the_pattern(
    patterns: list[str], repository: str, detail_type: str
) -> None:
    registries = (registry(*patterns),)
    sent = event(detail_type, repository_name=repository)
    try:
        followed = image_event.parse(json.dumps(sent), Routing(registries))
    except EventError:  # not a repository's name
        return
    assert matches(registries, sent) or followed is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"action_type": "PUSH"}, True),
        ({"repository_name": "base"}, True),
        ({"repository_name": "base2"}, False),
        ({"repository_name": "other/app"}, False),
        ({"account": "210987654321", "region": "eu-west-1", "repository_name": "mirror/a"}, True),
        ({"account": "999999999999"}, False),
        ({"region": "us-east-1"}, False),
        ({"result": "FAILURE"}, False),
        ({"action_type": "UPDATE"}, False),
        ({"source": "aws.inspector2"}, False),
        ({"detail_type": "ECR Image Scan"}, False),
        ({"detail_type": "ECR Replication Action"}, True),
        ({"detail_type": "ECR Replication Action", "result": "FAILED"}, False),
        ({"detail_type": "ECR Replication Action", "repository_name": "other/app"}, False),
        ({"detail_type": "ECR Pull Through Cache Action"}, True),
        ({"detail_type": "ECR Pull Through Cache Action", "sync_status": "FAILED"}, False),
        ({"detail_type": "ECR Pull Through Cache Action", "repository_name": "other/app"}, False),
    ],
    ids=str,
)
def test_the_rule_takes_what_succeeds_with_images_of_the_allowed_repositories(
    changes: dict[str, Any], *, expected: bool
) -> None:
    registries = (registry("team/*", "base"), registry("*/a", "mirror/*", account="210987654321", region="eu-west-1"))
    narrow = (registries[0], registry("mirror/*", account="210987654321", region="eu-west-1"))
    assert matches(narrow, event(**changes)) is expected
    # A pattern that begins with a star has no prefix: then the code alone looks at the repository.
    assert matches(registries, event(**changes)) is (expected or "repository_name" in changes)


def test_the_rule_takes_the_events_of_renamed_repositories_by_the_names_that_ecr_has() -> None:
    names = Registry(
        account="123456789012",
        region="ap-southeast-2",
        repositories=("base/*",),
        strip="base/",
        prefix="platform/",
        renames={"python": "team/python"},
    )
    taken = {
        name: matches((names,), event(repository_name=name))
        for name in ("platform/app", "team/python", "base/app", "python")
    }
    assert taken == {"platform/app": True, "team/python": True, "base/app": False, "python": False}


def test_an_allow_list_that_is_too_long_for_a_pattern_is_left_to_the_code() -> None:
    short, long = (registry(*(f"team-{number:03d}/*" for number in range(count))) for count in (60, 100))
    assert len(json.dumps(event_pattern([short], [*Action]), separators=(",", ":"))) <= PATTERN_LIMIT
    assert "repository-name" in event_pattern([short], [*Action])["detail"]
    assert "repository-name" not in event_pattern([long], [*Action])["detail"]
    assert matches((long,), event(repository_name="team-099/app"))


def test_with_more_accounts_than_a_pattern_holds_the_events_of_all_match() -> None:
    many = [registry("team/app", account=f"{number:012}") for number in range(150)]
    assert "account" not in event_pattern(many, [*Action])
    assert len(json.dumps(event_pattern(many, [*Action]), separators=(",", ":"))) <= PATTERN_LIMIT
    assert "account" in event_pattern(many[:100], [*Action])
    assert matches((*many, registry("base")), event(repository_name="base"))


@pytest.mark.parametrize(
    ("name", "actions"),
    [("public", ["PUSH", "REPLICATE"]), ("guarded", ["DELETE", "PUSH", "REPLICATE"])],
    ids=["images", "and-the-catalogue"],
)
def test_deletions_have_a_rule_of_their_own_and_the_catalogue_gets_them_too(name: str, actions: list[str]) -> None:
    assert kinds_of(only(name, RULE, "WatcherDeletionsRule")) == DELETIONS
    assert kinds_of(only(name, RULE, "WatcherEventsRule")) == arrivals(*actions)


def test_an_update_has_a_rule_for_deletions_before_the_other_one_leaves_them_out() -> None:
    rule = resources("public", RULE)[logical_id("public", RULE, "WatcherEventsRule")]
    assert rule["DependsOn"] == [logical_id("public", RULE, "WatcherDeletionsRule")]


@pytest.mark.parametrize("start", ["WatcherEvents", "WatcherDeletions"])
def test_only_its_rule_sends_to_a_queue(start: str) -> None:
    queue, rule = logical_id("public", QUEUE, f"{start}Queue"), logical_id("public", RULE, f"{start}Rule")
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    assert only("public", RULE, f"{start}Rule")["Targets"] == [{"Id": "Queue", "Arn": arn}]
    tls, send = only("public", "AWS::SQS::QueuePolicy", f"{start}Queue")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert send == {
        "Sid": "SendEvents",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}},
    }


@pytest.mark.parametrize("start", ["WatcherEventsQueue", "WatcherDeletionsQueue"])
def test_a_message_is_tried_for_an_hour_and_then_kept_for_two_weeks(start: str) -> None:
    queue = only("public", QUEUE, start)
    assert queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] == 3600
    failures = logical_id("public", QUEUE, "WatcherEventsFailures")
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [failures, "Arn"]}
    assert only("public", QUEUE, "WatcherEventsFailures")["MessageRetentionPeriod"] == 14 * 86400


@pytest.mark.parametrize(
    ("source", "queue", "window"),
    [("WatcherSource", "WatcherEventsQueue", 10), ("WatcherSourceOfDeletions", "WatcherDeletionsQueue", 5)],
)
def test_lambda_collects_messages_for_seconds_and_delivers_again_only_those_that_failed(
    source: str, queue: str, window: int
) -> None:
    function = logical_id("public", FUNCTION, "Watcher")
    (found,) = (r["Properties"] for i, r in resources("public", SOURCE).items() if i[:-8] == source)
    assert found == {
        "FunctionName": {"Ref": function},
        "EventSourceArn": {"Fn::GetAtt": [logical_id("public", QUEUE, queue), "Arn"]},
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": window,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }
    # Lambda refuses a queue whose messages come again while a run has them.
    timeout = only("public", FUNCTION, "Watcher")["Timeout"]
    assert only("public", QUEUE, queue)["VisibilityTimeout"] > timeout + window


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_watcher_is_the_same_bundle_with_another_entry_point_in_the_same_network(name: str) -> None:
    watcher, refresher = (only(name, FUNCTION, start) for start in ("Watcher", "Refresher"))
    same = ("Code", "Runtime", "Architectures", "VpcConfig")
    assert [watcher.get(key) for key in same] == [refresher.get(key) for key in same]
    assert watcher["Handler"] == "lambda_fn.watcher.handler"
    assert watcher["Role"] != refresher["Role"]


def test_events_reach_the_watcher_only_when_it_reaches_the_cluster() -> None:
    for source in resources("private", SOURCE).values():
        after = {each[:-8] for each in source["DependsOn"]}
        assert after >= {"WatcherAccessEntry", "AccessEntry", "NetworkIntoCluster"}


def test_the_watcher_may_describe_images_and_receive_events_and_cannot_pull() -> None:
    found = [readable(s) for role, s in role_statements("several") if role.startswith("Watcher")]
    assert [statement["Sid"] for statement in found] == [
        "DescribeImages",
        "DescribeCluster",
        "WriteLog",
        "ReceiveEvents",
        "AttachToVpc",
        "DescribeVpc",
        "DenyVpcActionsToCode",
    ]
    assert found[0] == {
        "Sid": "DescribeImages",
        "Effect": "Allow",
        "Action": "ecr:DescribeImages",
        "Resource": [
            "arn:aws:ecr:eu-west-1:123456789012:repository/base",
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/*",
            "arn:aws:ecr:us-east-1:210987654321:repository/*",
        ],
    }
    queues = [logical_id("several", QUEUE, f"Watcher{each}Queue") for each in ("Deletions", "Events")]
    assert found[3]["Resource"] == [f"${{{queue}.Arn}}" for queue in queues]


def test_a_catalogue_without_deletions_has_one_queue_for_all_events() -> None:
    text = configurations.text("guarded") + "[watcher]\ndeletions = false\n"
    found = synthesize(configurations.parse(text))["Resources"]
    assert [name for name in found if "Deletions" in name] == []
    (rule,) = (r["Properties"] for i, r in found.items() if i.startswith("WatcherEventsRule"))
    assert kinds_of(rule) == arrivals("DELETE", "PUSH", "REPLICATE")


def test_without_deletions_and_a_catalogue_the_stack_has_no_watcher() -> None:
    text = configurations.text("public") + "[watcher]\ndeletions = false\n"
    found = synthesize(configurations.parse(text))
    names = (*found["Resources"], *found["Outputs"])
    assert [name for name in names if name.startswith(("Watcher", "AlarmsEvents", "AlarmsDeletions"))] == []
    left = {key for key in template("public")["Resources"] if key not in found["Resources"]}
    # The settings are in the bundle of the other function, so it has another version, which runs.
    others = ("AlarmsEvent", "AlarmsDeletions", "RefresherFunctionCurrentVersion", "FirstRunTrigger")
    assert [key for key in left if not key.startswith(("Watcher", *others))] == []
