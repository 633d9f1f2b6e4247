"""Who writes a field, by records as the API server keeps them."""

from typing import Any

import pytest

from cli.doctor.fields import Path, writers

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
def test_a_fields_writers_are_those_whose_record_has_it_or_what_it_is_part_of(path: Path, managers: list[str]) -> None:
    assert [name.partition(",")[0] for name in writers(FOUND, path)] == managers


def test_a_writer_is_named_with_its_time_and_the_owner_left_out() -> None:
    assert writers(FOUND, ("spec", "replicas")) == ["chart, 2026-11-23 08:00:00 UTC"]
    assert writers(FOUND, ("spec",), but="chart") == ["edit, at an unknown time"]


def test_an_object_without_a_record_has_no_writers() -> None:
    assert writers({"metadata": {}, "data": {}}, ("data",)) == []
