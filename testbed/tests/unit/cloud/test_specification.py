"""testbed/docs/ecr-double.md is the double's specification: every row has its test, and every test its row."""

import ast
import re
from pathlib import Path

from testbed.sandbox.cloud.behaviour import Behaviour

ROOT = Path(__file__).parents[4]
SPECIFICATION = (ROOT / "testbed" / "docs" / "ecr-double.md").read_text()
TESTS = sorted((ROOT / "testbed" / "tests" / "ecr_double").glob("test_*.py"))
ROW = re.compile(r"\| (?P<id>[A-Z]\d+) \|.*\| `(?P<test>test_\w+)` \|")
COUNTED = re.compile(r"^\| [A-Z]\d+ \|", re.MULTILINE)


def named_in_rows() -> list[str]:
    return [match["test"] for match in ROW.finditer(SPECIFICATION)]


def defined() -> list[str]:
    modules = [ast.parse(path.read_text()) for path in TESTS]
    functions = [node for module in modules for node in module.body if isinstance(node, ast.FunctionDef)]
    return [function.name for function in functions if function.name.startswith("test_")]


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    assert sorted(named_in_rows()) == sorted(defined())


def test_every_row_is_read() -> None:
    assert len(COUNTED.findall(SPECIFICATION)) == len(named_in_rows()) > 80


def test_rows_are_numbered_in_order() -> None:
    ids = [match["id"] for match in ROW.finditer(SPECIFICATION)]
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
