"""docs/request-handling.md is the specification of the proxy: each of its rules is held by tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPECIFICATION = ROOT / "docs" / "request-handling.md"


def rules() -> dict[int, str]:
    """Number -> text of each rule."""
    parts = re.split(r"^(\d+)\. ", SPECIFICATION.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {int(number): text for number, text in zip(parts[::2], parts[1::2], strict=True)}


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert list(rules()) == list(range(1, len(rules()) + 1))


def test_every_rule_names_a_test_and_every_test_it_names_exists() -> None:
    files = [*(ROOT / "tests" / "proxy").glob("test_*.py"), *(ROOT / "tests" / "template").glob("test_charts*.py")]
    defined = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), flags=re.MULTILINE)}
    for number, text in rules().items():
        named = set(re.findall(r"`(test_\w+)`", text))
        assert named, f"rule {number} names no test"
        assert named <= defined, f"rule {number} names tests that do not exist: {named - defined}"
