"""What is altered in a template for moto, and what refuses to be."""

from typing import Any

import pytest

from testbed.sandbox.deployment.stand_in import adapt, resolve
from testbed.sandbox.errors import SandboxError

ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}


def entry(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - template JSON
    principal = {"Fn::GetAtt": ["Role", "Arn"]}
    return {"Type": "AWS::EKS::AccessEntry", "Properties": {"PrincipalArn": principal, "Type": "STANDARD"}, **more}


def knows(kind: str) -> bool:
    return kind.startswith(("AWS::IAM", "AWS::Lambda::Function"))


def test_a_type_that_nothing_stands_in_for_is_an_error_that_names_it() -> None:
    with pytest.raises(
        SandboxError, match=r"moto does not know AWS::New::Thing: say in testbed/sandbox/deployment/stand_in"
    ):
        adapt({"Resources": {"New": {"Type": "AWS::New::Thing"}, "Role": ROLE}}, knows)


def test_a_template_that_moto_knows_stays_as_it_is() -> None:
    template = {"Resources": {"Role": ROLE}, "Outputs": {}}
    adapted = adapt(template, knows)
    assert adapted.template == template
    assert (adapted.performed, adapted.altered) == ({}, ())


def test_an_expression_of_a_performed_resource_is_left_to_moto_as_an_output() -> None:
    adapted = adapt({"Resources": {"Role": ROLE, "Entry": entry()}}, knows)
    assert adapted.template["Outputs"] == {"StandIn0": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}
    properties = resolve(adapted.performed["Entry"]["Properties"], {"StandIn0": "arn:aws:iam::1:role/r"})
    assert properties == {"PrincipalArn": "arn:aws:iam::1:role/r", "Type": "STANDARD"}


def test_performed_resources_keep_the_order_of_their_dependencies() -> None:
    resources = {"B": entry(DependsOn=["A"]), "A": entry(), "Role": ROLE}
    adapted = adapt({"Resources": resources}, knows)
    assert list(adapted.performed) == list(adapted.synthesized) == ["A", "B"]


def test_a_performed_resource_is_kept_as_it_was_synthesized() -> None:
    adapted = adapt({"Resources": {"Role": ROLE, "Entry": entry(DependsOn=["Role"])}}, knows)
    assert adapted.synthesized == {"Entry": entry(DependsOn=["Role"])}


def test_nothing_that_is_left_refers_to_what_was_taken_out() -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "g"}}
    role = {"Type": "AWS::IAM::Role", "DependsOn": ["Group"], "Properties": {"P": [{"Fn::GetAtt": ["Group", "Arn"]}]}}
    adapted = adapt({"Resources": {"Group": group, "Role": role}}, knows)
    assert adapted.template["Resources"] == {"Role": {"Type": "AWS::IAM::Role", "Properties": {"P": ["Group"]}}}


def test_a_schedule_finds_its_group_by_name() -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "g"}}
    schedule = {"Type": "AWS::Scheduler::Schedule", "Properties": {"GroupName": {"Ref": "Group"}}}
    performed = adapt({"Resources": {"Schedule": schedule, "Group": group}}, knows).performed
    assert list(performed) == ["Group", "Schedule"]
    assert performed["Schedule"]["Properties"] == {"GroupName": "g"}


def test_the_template_that_is_given_is_not_touched() -> None:
    template = {"Resources": {"Role": ROLE, "Entry": entry()}}
    adapt(template, knows)
    assert template == {"Resources": {"Role": ROLE, "Entry": entry()}}
