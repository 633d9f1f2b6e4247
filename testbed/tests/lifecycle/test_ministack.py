"""What MiniStack lacks, in its own environment: each handler and the limit of a response, as its engine calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.sandbox.deployment import ministack
from testbed.sandbox.deployment.cdk import ROOT
from testbed.sandbox.world import World

_START = """
import json, sys
from pathlib import Path
from ministack.services import cloudwatch, ec2
from ministack.services.cloudformation import provisioners
from testbed.sandbox.deployment.engine import handlers
from testbed.sandbox.world import World
handlers.register(World(state=Path(sys.argv[1])))
make, change, remove = provisioners._provision_resource, provisioners._update_resource, provisioners._delete_resource
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    world = World()
    ministack.prepare(world)
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ministack.folder(world)), str(ROOT)))}


def results(script: str, environment: dict[str, str], state: Path) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """What a script prints as JSON in its last line."""
    command = (sys.executable, "-c", _START + script, str(state))
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return json.loads(done.stdout.splitlines()[-1])


def test_a_rule_of_a_security_group_is_made_changed_and_deleted(environment: dict[str, str], tmp_path: Path) -> None:
    found = results(
        """
group, _ = make("AWS::EC2::SecurityGroup", "Group", {"GroupDescription": "cluster"}, "stack")
def ports(): return [rule["FromPort"] for rule in ec2._security_groups[group]["IpPermissions"]]
rule = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourceSecurityGroupId": group}
name, _ = make("AWS::EC2::SecurityGroupIngress", "Rule", rule, "stack")
seen = [ports()]
other = rule | {"FromPort": 8443, "ToPort": 8443}
change("AWS::EC2::SecurityGroupIngress", name, rule, other, "stack", "Rule")
seen.append(ports())
remove("AWS::EC2::SecurityGroupIngress", name, other, "stack", "Rule")
print(json.dumps([*seen, ports()]))
""",
        environment,
        tmp_path,
    )

    assert found == [[443], [8443], []]


def test_a_rule_of_an_unknown_security_group_fails_the_deployment(environment: dict[str, str], tmp_path: Path) -> None:
    message = results(
        """
try:
    make("AWS::EC2::SecurityGroupIngress", "Rule", {"GroupId": "sg-0", "IpProtocol": "tcp"}, "stack")
except ValueError as error:
    print(json.dumps(str(error)))
""",
        environment,
        tmp_path,
    )

    assert message == "The security group 'sg-0' does not exist"


def test_an_alarm_with_metric_math_keeps_its_metrics(environment: dict[str, str], tmp_path: Path) -> None:
    found = results(
        """
metrics = [{"Id": "e", "Expression": "FILL(m, 0)"}]
alarm = {"Metrics": metrics, "Threshold": 1, "EvaluationPeriods": 3, "ComparisonOperator": "GreaterThanThreshold"}
name, _ = make("AWS::CloudWatch::Alarm", "Alarm", alarm, "stack")
change("AWS::CloudWatch::Alarm", name, alarm, alarm | {"Threshold": 2}, "stack", "Alarm")
found = cloudwatch._alarms[name]
remove("AWS::CloudWatch::Alarm", name, alarm, "stack", "Alarm")
print(json.dumps([found["Metrics"], found["Threshold"], "MetricName" in found, name in cloudwatch._alarms]))
""",
        environment,
        tmp_path,
    )

    assert found == [[{"Id": "e", "Expression": "FILL(m, 0)"}], 2.0, False, False]


def test_an_alarm_on_one_metric_is_ministacks_own(environment: dict[str, str], tmp_path: Path) -> None:
    found = results(
        """
alarm = {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Threshold": 1, "EvaluationPeriods": 1,
         "ComparisonOperator": "GreaterThanThreshold"}
name, _ = make("AWS::CloudWatch::Alarm", "Alarm", alarm, "stack")
print(json.dumps(cloudwatch._alarms[name]["MetricName"]))
""",
        environment,
        tmp_path,
    )

    assert found == "Errors"


@pytest.mark.parametrize(
    ("size", "status", "reason"), [(4096, "SUCCESS", None), (4097, "FAILED", "Response object is too long.")]
)
def test_a_response_of_more_than_4096_bytes_fails_its_resource(
    environment: dict[str, str], tmp_path: Path, size: int, status: str, reason: str | None
) -> None:
    found = results(
        f"""
from ministack.services.cloudformation import custom_resource
from testbed.sandbox.deployment.engine import responses
responses.register()
custom_resource.register_token("token")
empty = len('{{"Status":"SUCCESS","Data":{{"Value":""}}}}')
value = chr(0x2603) + "x" * ({size} - empty - 3)
custom_resource.deliver_response("token", {{"Status": "SUCCESS", "Data": {{"Value": value}}}})
print(json.dumps(custom_resource._pending["token"]["result"]))
""",
        environment,
        tmp_path,
    )

    assert (found["Status"], found.get("Reason")) == (status, reason)
