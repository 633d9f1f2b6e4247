import pytest

from cli.doctor.differences import differences


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "defaulted": "by the API"}),
        ({"list": [{"name": "x"}]}, {"list": [{"name": "x", "protocol": "TCP"}]}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}),
        ({"cpu": "0.5"}, {"cpu": "500m"}),
        ({"emptyDir": {}}, {"emptyDir": {}}),
        ({"nothing": []}, {}),
    ],
)
def test_defaults_and_other_notations_of_the_api_are_not_differences(wanted: object, found: object) -> None:
    assert list(differences(wanted, found)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "paths"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [".a.c"]),
        ({"a": {"b": 1}}, {}, [".a.b"]),
        ({"list": [1, 2]}, {"list": [1]}, [".list"]),
        ({"list": [{"x": 1}, {"x": 2}]}, {"list": [{"x": 1}, {"x": 3}]}, [".list[1].x"]),
        ({"memory": "1Gi"}, {"memory": "2Gi"}, [".memory"]),
        ({"flag": False}, {"flag": True}, [".flag"]),
        ({"number": 1}, {"number": "1"}, [".number"]),
    ],
)
def test_a_difference_is_named_by_its_path(wanted: object, found: object, paths: list[str]) -> None:
    assert [str(one).partition(" (")[0] for one in differences(wanted, found)] == paths
