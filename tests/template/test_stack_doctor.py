"""The doctor finds its way in a stack by logical ids and types: they are what the template has."""

import pytest

from cli.doctor import access, load_balancer, schedules
from cli.doctor.finding import Verdict
from cli.doctor.site import Site
from cli.doctor.stack import Resources
from tests.fakes.aws import FakeAws
from tests.template import configurations
from tests.template.synthesis import synthesize

SCHEDULE = "AWS::Scheduler::Schedule"
CANARY = configurations.text("nlb") + '\n[canary]\nrepository = "team/canary"\nreference = "latest"\n'


def logical_ids(kind: str) -> list[str]:
    resources = synthesize(configurations.parse(CANARY))["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == kind]


@pytest.mark.parametrize("construct", [access.REFRESHER, access.DEPLOYER])
def test_each_role_is_known_by_its_construct(construct: str) -> None:
    assert len([name for name in logical_ids("AWS::IAM::Role") if name.startswith(construct)]) == 1


def test_the_canarys_schedule_is_told_from_the_refreshs() -> None:
    ids = ((SCHEDULE, name, name) for name in logical_ids(SCHEDULE))
    settings = configurations.parse(CANARY)
    asked = FakeAws({"GetSchedule": {"ScheduleExpression": "rate(240 minutes)", "State": "DISABLED"}})
    found = schedules.examine(Site(settings=settings, aws=asked), Resources("CREATE_COMPLETE", tuple(ids)))
    assert [one.verdict for one in found] == [Verdict.FAILED, Verdict.WARNING]
    refresh, canary = (parameters["Name"] for _, parameters in asked.asked)
    assert "Canary" in canary
    assert "Canary" not in refresh


@pytest.mark.parametrize("kind", [load_balancer.BALANCER, load_balancer.TARGET_GROUP, "AWS::Scheduler::ScheduleGroup"])
def test_there_is_one_of_what_the_doctor_takes_the_first_of(kind: str) -> None:
    assert len(logical_ids(kind)) == 1
