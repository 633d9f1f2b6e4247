"""The ids of the rules: which docs/request-handling.md defines, and which tests carry them.

A test carries an id by `@pytest.mark.rule("R17")`. A table of cases that passes its ids to that marker names them as
strings, so every string of a test module that is an id counts as carried there.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "request-handling.md"
_DEFINITION = re.compile(r"^(?:\* \*\*|\| )([RF]\d+)\b", re.MULTILINE)
_ID = re.compile(r"[RF]\d+")


@cache
def documented() -> tuple[str, ...]:
    """The ids that the document defines, in its order."""
    return tuple(_DEFINITION.findall(DOCUMENT.read_text(encoding="utf-8")))


@cache
def marked() -> dict[str, tuple[str, ...]]:
    """Id -> the files, from the project's root, whose tests carry it."""
    files = defaultdict[str, list[str]](list)
    for folder in ("tests", "testbed/tests"):
        for file in sorted((ROOT / folder).rglob("test_*.py")):
            for rule in ids_of(file.read_text(encoding="utf-8")):
                files[rule].append(str(file.relative_to(ROOT)))
    return {rule: tuple(found) for rule, found in files.items()}


def ids_of(source: str) -> set[str]:
    """The ids that a test module carries."""
    if "mark.rule(" not in source:
        return set()
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {text for text in strings if isinstance(text, str) and _ID.fullmatch(text)}


def position(rule: str) -> tuple[bool, int]:
    """The place of an id in a list: R1 to R45, then F1 to F21."""
    return rule.startswith("F"), int(rule[1:])
