"""The doctor finds resources by logical id and type: the template has them."""

import pytest

from cli.doctor.checks import schedule
from cli.doctor.context import CheckContext
from cli.doctor.finding import Verdict
from cli.doctor.stack_resources import (
    DELETIONS_QUEUE,
    DELETIONS_RULE,
    DEPLOYER_ROLE,
    DEPLOYMENT_LOG,
    EVENTS_FAILURES,
    EVENTS_QUEUE,
    EVENTS_RULE,
    LOAD_BALANCER,
    REFRESHER_FUNCTION,
    REFRESHER_ROLE,
    TARGET_GROUP,
    TARGET_GROUP_CONSTRUCTS,
    WATCHER_ROLE,
    WATCHER_SOURCE,
    StackResources,
)
from tests.fakes.aws import FakeAws
from tests.template import configurations
from tests.template.synthesis import synthesize

SCHEDULE = "AWS::Scheduler::Schedule"
CANARY = configurations.text("nlb") + '\n[canary]\nrepository = "team/canary"\nreference = "latest"\n'


def logical_ids(kind: str) -> list[str]:
    resources = synthesize(configurations.parse(CANARY))["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == kind]


@pytest.mark.parametrize(
    ("kind", "construct"),
    [
        *(("AWS::IAM::Role", role) for role in (REFRESHER_ROLE, DEPLOYER_ROLE, WATCHER_ROLE)),
        ("AWS::Lambda::Function", REFRESHER_FUNCTION),
        ("AWS::Logs::LogGroup", DEPLOYMENT_LOG),
        ("AWS::Events::Rule", EVENTS_RULE),
        ("AWS::Events::Rule", DELETIONS_RULE),
        *(("AWS::SQS::Queue", queue) for queue in (EVENTS_QUEUE, DELETIONS_QUEUE, EVENTS_FAILURES)),
    ],
)
def test_each_resource_that_is_found_by_name_has_the_prefix_of_its_construct(kind: str, construct: str) -> None:
    assert len([name for name in logical_ids(kind) if name.startswith(construct)]) == 1


def test_the_event_source_mappings_of_both_queues_are_found() -> None:
    found = logical_ids("AWS::Lambda::EventSourceMapping")
    assert len([name for name in found if name.startswith(WATCHER_SOURCE)]) == len(found) == 2


def test_the_schedules_of_the_canary_and_of_the_refresh_are_distinguished() -> None:
    ids = ((SCHEDULE, name, name) for name in logical_ids(SCHEDULE))
    settings = configurations.parse(CANARY)
    asked = FakeAws({"GetSchedule": {"ScheduleExpression": "rate(240 minutes)", "State": "DISABLED"}})
    context = CheckContext(settings=settings, aws=asked)
    context.__dict__["stack"] = StackResources("CREATE_COMPLETE", tuple(ids))  # where cached_property keeps its value
    assert [one.verdict for one in schedule.run(context)] == [Verdict.FAILED, Verdict.WARNING]
    refresh, canary = (parameters["Name"] for _, parameters in asked.asked)
    assert "Canary" in canary
    assert "Canary" not in refresh


@pytest.mark.parametrize("kind", [LOAD_BALANCER, "AWS::Scheduler::ScheduleGroup"])
def test_the_resources_that_the_doctor_expects_once_are_there_once(kind: str) -> None:
    assert len(logical_ids(kind)) == 1


def test_the_target_groups_are_the_plain_one_and_the_one_with_proxy_protocol() -> None:
    groups = logical_ids(TARGET_GROUP)
    assert [[name.startswith(construct) for name in groups].count(True) for construct in TARGET_GROUP_CONSTRUCTS] == [
        1,
        1,
    ]
    assert len(groups) == len(TARGET_GROUP_CONSTRUCTS)
