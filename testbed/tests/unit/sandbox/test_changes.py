"""What an update does to each resource, and in which order."""

from typing import Any

from testbed.sandbox.deployment.changes import Changes, changes


def resource(value: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - template JSON
    return {"Type": "T", "Properties": {"Value": value}, **more}


def test_a_new_stack_is_made_in_the_order_of_its_dependencies() -> None:
    due = changes({}, {"Group": resource(1), "Schedule": resource(1)})
    assert list(due.requests.items()) == [("Group", "Create"), ("Schedule", "Create")]
    assert due.removed == ()


def test_only_what_changed_is_updated() -> None:
    before = {"Entry": resource(1), "Manifest": resource(1)}
    assert changes(before, before | {"Manifest": resource(2)}).requests == {"Manifest": "Update"}


def test_another_order_alone_changes_nothing() -> None:
    before = {"Entry": resource(1)}
    assert changes(before, {"Entry": resource(1, DependsOn=["Rule"])}) == Changes({}, ())


def test_a_reference_to_another_resource_is_a_change() -> None:
    run = {"Run": resource({"Ref": "VersionOne"})}
    assert changes(run, {"Run": resource({"Ref": "VersionTwo"})}).requests == {"Run": "Update"}


def test_what_is_not_wanted_any_more_goes_in_the_opposite_order() -> None:
    before = {"Group": resource(1), "Schedule": resource(1), "Stays": resource(1)}
    assert changes(before, {"Stays": resource(1)}) == Changes({}, ("Schedule", "Group"))
