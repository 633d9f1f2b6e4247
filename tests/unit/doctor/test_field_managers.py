"""The field managers of a field, from records in the form of the API server."""

from typing import Any

import pytest

from cli.doctor.field_managers import Path, managers_of

CONTAINER = {"name": "nginx", "image": "a"}
FOUND: dict[str, Any] = {
    "metadata": {
        "managedFields": [
            {
                "manager": "chart",
                "time": "2026-11-23T08:00:00Z",
                "fieldsV1": {
                    "f:spec": {
                        "f:replicas": {},
                        "f:containers": {'k:{"name":"nginx"}': {".": {}, "f:name": {}, "f:image": {}}},
                        "f:args": {},
                    }
                },
            },
            {"manager": "edit", "fieldsV1": {"f:spec": {"f:containers": {'k:{"name":"nginx"}': {"f:image": {}}}}}},
        ]
    },
    "spec": {"replicas": 2, "containers": [CONTAINER, {"name": "other"}], "args": ["a", "b"], "paused": True},
}


@pytest.mark.parametrize(
    ("path", "managers"),
    [
        (("spec", "replicas"), ["chart"]),
        (("spec",), ["chart", "edit"]),
        (("spec", "containers", 0, "image"), ["chart", "edit"]),
        (("spec", "containers", 0, "name"), ["chart"]),
        (("spec", "containers", 1, "name"), []),
        (("spec", "args", 1), ["chart"]),
        (("spec", "paused"), []),
        (("data",), []),
    ],
)
def test_a_manager_of_a_field_or_of_its_parent_is_listed(path: Path, managers: list[str]) -> None:
    assert [name.partition(",")[0] for name in managers_of(FOUND, path)] == managers


def test_a_manager_is_listed_with_its_time_and_the_owner_can_be_left_out() -> None:
    assert managers_of(FOUND, ("spec", "replicas")) == ["chart, 2026-11-23 08:00:00 UTC"]
    assert managers_of(FOUND, ("spec",), except_for="chart") == ["edit, at an unknown time"]


def test_an_object_without_a_record_has_no_managers_of() -> None:
    assert managers_of({"metadata": {}, "data": {}}, ("data",)) == []
