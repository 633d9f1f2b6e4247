"""testbed/docs/ecr-double.md is the double's specification: tests carry its row ids, and both have the same ids."""

import ast
import re
from pathlib import Path

from testbed.sandbox.cloud.behaviour import Behaviour

ROOT = Path(__file__).parents[4]
SPECIFICATION = (ROOT / "testbed" / "docs" / "ecr-double.md").read_text()
TESTS = sorted((ROOT / "testbed" / "tests" / "ecr_double").glob("test_*.py"))
ROW = re.compile(r"^\| ([A-Z]\d+) \|", re.MULTILINE)


def documented() -> list[str]:
    return ROW.findall(SPECIFICATION)


def marked() -> dict[str, list[str]]:
    """Test -> the ids of its `row` markers."""
    modules = [ast.parse(path.read_text()) for path in TESTS]
    functions = [node for module in modules for node in module.body if isinstance(node, ast.FunctionDef)]
    return {function.name: _ids(function) for function in functions if function.name.startswith("test_")}


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    markers = marked()
    assert [name for name, ids in markers.items() if not ids] == []
    assert {row for ids in markers.values() for row in ids} == set(documented())


def test_rows_are_numbered_in_order() -> None:
    ids = documented()
    expected = [f"{letter}{n + 1}" for letter in dict.fromkeys(i[0] for i in ids) for n in range(_rows_of(letter, ids))]

    assert ids == expected


def test_every_switch_is_specified() -> None:
    missing = [name for name in Behaviour.model_fields if f"`{name}" not in SPECIFICATION]

    assert missing == []


def test_every_source_that_is_cited_is_listed() -> None:
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", SPECIFICATION)}
    listed = {int(number) for number in re.findall(r"^(\d+)\. ", SPECIFICATION, re.MULTILINE)}

    assert cited == listed


def _rows_of(letter: str, ids: list[str]) -> int:
    return sum(i.startswith(letter) for i in ids)


def _ids(function: ast.FunctionDef) -> list[str]:
    calls = [node for node in function.decorator_list if isinstance(node, ast.Call)]
    markers = [call for call in calls if ast.unparse(call.func) == "pytest.mark.row"]
    return [str(ast.literal_eval(argument)) for call in markers for argument in call.args]
