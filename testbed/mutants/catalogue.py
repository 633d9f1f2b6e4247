"""Where the tests are that the rules name, and which of them a mutant has to face."""

import re
from functools import cache
from pathlib import Path

from testbed.mutants import specification
from testbed.mutants.mutant import Mutant, MutantError
from testbed.mutants.specification import BadHour
from testbed.mutants.tree import ROOT

DOCUMENT = ROOT / "docs" / "request-handling.md"


@cache
def rules() -> dict[str, str]:
    """Number -> text of each rule of the document; then name -> tests of each row of its table."""
    return specification.rules(_document()) | {name: hour.tests for name, hour in bad_hours().items()}


@cache
def bad_hours() -> dict[str, BadHour]:
    """Name -> row of the document's table."""
    return specification.bad_hours(_document())


@cache
def places() -> dict[str, str]:
    """Name -> place, as pytest wants it, of each test a rule may name."""
    files = [*(ROOT / "tests" / "proxy").glob("test_*.py"), *(ROOT / "tests" / "template").glob("test_charts*.py")]
    return {name: f"{file.relative_to(ROOT)}::{name}" for file in sorted(files) for name in _defined(file)}


def tests_of(mutant: Mutant) -> list[str]:
    """The places of the tests that have to notice a mutant.

    Raises:
        MutantError: Its rule does not exist, or it names a test that its rule does not.
    """
    text = rules().get(mutant.rule)
    if text is None:
        raise MutantError(f"{DOCUMENT.name} has no rule {mutant.rule} ({mutant.removed})")
    named = specification.named_tests(text)
    if strange := set(mutant.tests) - set(named):
        raise MutantError(f"rule {mutant.rule} ({mutant.removed}) names no test {sorted(strange)}, only {named}")
    found = places()
    if lost := set(named) - set(found):
        raise MutantError(f"rule {mutant.rule} names tests that do not exist: {sorted(lost)}")
    return [found[name] for name in mutant.tests or named]


def _defined(file: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)


def _document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")
