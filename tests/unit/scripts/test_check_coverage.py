"""The coverage floor holds each file, and its exceptions say why."""

import pytest

from scripts.check_coverage import Exempt, exceptions, faults, left_out

LOW = Exempt(20, "it speaks to a terminal")


def test_a_file_at_the_floor_is_fine() -> None:
    assert faults({"a.py": 80}, 80, {}) == []


def test_a_file_below_the_floor_is_named_with_both_numbers() -> None:
    (fault,) = faults({"a.py": 79, "b.py": 100}, 80, {})
    assert fault.startswith("a.py: 79 %")
    assert "80 %" in fault


def test_an_exception_lowers_the_floor_of_its_file_alone() -> None:
    assert faults({"a.py": 20}, 80, {"a.py": LOW}) == []
    assert len(faults({"a.py": 19, "b.py": 20}, 80, {"a.py": LOW})) == 2


def test_an_exception_without_use_is_a_fault() -> None:
    assert len(faults({"a.py": 90}, 80, {"a.py": LOW})) == 1
    assert len(faults({"b.py": 90}, 80, {"a.py": LOW})) == 1


@pytest.mark.parametrize("entry", [{"floor": 1}, {"reason": "so"}, {"floor": 1, "reason": ""}])
def test_an_exception_needs_a_floor_and_a_reason(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a\.py"):
        exceptions({"exceptions": {"a.py": entry}})


@pytest.mark.parametrize(
    "comment", ["# pragma: no cover", "#pragma:no cover", "# noqa: X1 # PRAGMA: NO COVER", "# pragma: no branch"]
)
def test_a_comment_that_leaves_lines_out_is_named_with_its_line(comment: str) -> None:
    (fault,) = left_out({"a.py": f"x = 1\nif x:  {comment}\n    pass\n", "b.py": "x = 1  # no cover\n"})
    assert fault.startswith("a.py:2: ")
