"""CloudFormation's list of a stack's resources, completed with what moto does not know."""

from pathlib import Path
from xml.etree import ElementTree as ET

from testbed.sandbox.cloud.stack_resources import completed, is_meant
from testbed.sandbox.deployment import record
from testbed.sandbox.deployment.record import Made
from testbed.sandbox.world import World

LISTED = """\
<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member>\
<LogicalResourceId>Role</LogicalResourceId></member></StackResourceSummaries></ListStackResourcesResult>\
</ListStackResourcesResponse>"""


def test_the_operation_is_read_from_the_body() -> None:
    assert is_meant(b"Action=ListStackResources&Version=2010-05-15&StackName=s")
    assert not is_meant(b"Action=DescribeStackResources&StackName=s")


def test_what_was_recorded_of_a_stack_is_listed_after_what_moto_has(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    record.write(world, "mine", {"Entry": Made("AWS::EKS::AccessEntry", {"a": "secret"}, "shared|<arn>")})
    listed = completed(LISTED, record.read(world, "mine"))
    names = [member.findtext("LogicalResourceId") for member in ET.fromstring(listed).iter("member")]  # noqa: S314 - own
    assert names == ["Role", "Entry"]
    *_, entry = ET.fromstring(listed).iter("member")  # noqa: S314 - own
    assert entry.findtext("PhysicalResourceId") == "shared|<arn>"
    assert entry.findtext("ResourceType") == "AWS::EKS::AccessEntry"
    assert "secret" not in world.emulated_file.read_text()


def test_of_another_stack_or_before_a_deployment_nothing_is_added(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    assert completed(LISTED, record.read(world, "mine")) == LISTED
    record.write(world, "mine", {"Entry": Made("K", {}, "p")})
    assert completed(LISTED, record.read(world, "other")) == LISTED


def test_an_error_stays_as_it_is(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    record.write(world, "mine", {"Entry": Made("K", {}, "p")})
    assert completed("<ErrorResponse/>", record.read(world, "mine")) == "<ErrorResponse/>"
