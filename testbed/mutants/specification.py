"""docs/request-handling.md, read as what it is: numbered rules and rows of a table, which name their tests. Pure."""

import re
from dataclasses import dataclass

RULE = re.compile(r"^(\d+)\. ", re.MULTILINE)
ROW = re.compile(r"^\| (B\d+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(test_\w+)`")


@dataclass(frozen=True)
class BadHour:
    """A row of the table: its cells, from the second one on."""

    case: str
    kept: str
    otherwise: str
    within: str
    pod: str
    tests: str


def rules(document: str) -> dict[str, str]:
    """Number -> text of each rule."""
    parts = RULE.split(document)[1:]
    return {number: text.partition("\n## ")[0] for number, text in zip(parts[::2], parts[1::2], strict=True)}


def bad_hours(document: str) -> dict[str, BadHour]:
    """Name, such as `B1` -> each row of the table.

    Raises:
        TypeError: A row has more or fewer cells than the table.
    """
    return {name: BadHour(*cells.split(" | ")) for name, cells in ROW.findall(document)}


def named_tests(text: str) -> list[str]:
    """The tests a rule names, in its order."""
    return TEST.findall(text)
