"""What is altered in a template for moto, and what refuses to be."""

from typing import Any

import pytest

from testbed.sandbox.deployment.emulation import adapt, resolve
from testbed.sandbox.errors import SandboxError

ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}


def entry(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - template JSON
    principal = {"Fn::GetAtt": ["Role", "Arn"]}
    return {"Type": "AWS::EKS::AccessEntry", "Properties": {"PrincipalArn": principal, "Type": "STANDARD"}, **more}


def knows(kind: str) -> bool:
    return kind.startswith(("AWS::IAM", "AWS::Lambda::Function"))


def test_an_unknown_type_is_an_error_that_names_it() -> None:
    with pytest.raises(SandboxError, match=r"AWS::New::Thing.*emulation\.py"):
        adapt({"Resources": {"New": {"Type": "AWS::New::Thing"}, "Role": ROLE}}, knows)


def test_a_template_that_moto_knows_stays_as_it_is() -> None:
    template = {"Resources": {"Role": ROLE}, "Outputs": {}}
    adapted = adapt(template, knows)
    assert adapted.template == template
    assert (adapted.emulated, adapted.altered) == ({}, ())


def test_an_expression_of_an_emulated_resource_is_left_to_moto_as_an_output() -> None:
    adapted = adapt({"Resources": {"Role": ROLE, "Entry": entry()}}, knows)
    assert adapted.template["Outputs"] == {"Emulation0": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}
    properties = resolve(adapted.emulated["Entry"]["Properties"], {"Emulation0": "arn:aws:iam::1:role/r"})
    assert properties == {"PrincipalArn": "arn:aws:iam::1:role/r", "Type": "STANDARD"}


def test_emulated_resources_have_the_order_of_their_dependencies() -> None:
    resources = {"B": entry(DependsOn=["A"]), "A": entry(), "Role": ROLE}
    adapted = adapt({"Resources": resources}, knows)
    assert list(adapted.emulated) == list(adapted.synthesized) == ["A", "B"]


def test_an_emulated_resource_is_recorded_as_synthesized() -> None:
    adapted = adapt({"Resources": {"Role": ROLE, "Entry": entry(DependsOn=["Role"])}}, knows)
    assert adapted.synthesized == {"Entry": entry(DependsOn=["Role"])}


def test_no_remaining_resource_refers_to_a_removed_one() -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "g"}}
    role = {"Type": "AWS::IAM::Role", "DependsOn": ["Group"], "Properties": {"P": [{"Fn::GetAtt": ["Group", "Arn"]}]}}
    adapted = adapt({"Resources": {"Group": group, "Role": role}}, knows)
    assert adapted.template["Resources"] == {"Role": {"Type": "AWS::IAM::Role", "Properties": {"P": ["Group"]}}}


def test_a_schedule_finds_its_group_by_name() -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "g"}}
    schedule = {"Type": "AWS::Scheduler::Schedule", "Properties": {"GroupName": {"Ref": "Group"}}}
    emulated = adapt({"Resources": {"Schedule": schedule, "Group": group}}, knows).emulated
    assert list(emulated) == ["Group", "Schedule"]
    assert emulated["Schedule"]["Properties"] == {"GroupName": "g"}


def test_the_given_template_does_not_change() -> None:
    template = {"Resources": {"Role": ROLE, "Entry": entry()}}
    adapt(template, knows)
    assert template == {"Resources": {"Role": ROLE, "Entry": entry()}}
