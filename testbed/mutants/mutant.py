"""A mutant: a rule of docs/request-handling.md taken out of the sources by exact textual edits. Pure but for `load`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from testbed.mutants.rules import position

EDITS = Path(__file__).parent / "edits"
TEMPLATE = "k8s_manifests/nginx/nginx.conf.j2"


class MutantError(Exception):
    """A mutant that is written down wrongly, or no longer fits the sources: mend testbed/mutants/edits/."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Mutant(_Part):
    """What is taken out, and which tests have to notice."""

    rule: str
    """Its id in the document; the tests that carry it are run."""
    removed: str = Field(min_length=5)
    """What is gone or wrong now, in a line."""
    file: str = TEMPLATE
    """The file that is edited, from the project's root."""
    edits: tuple[tuple[str, str], ...] = Field(min_length=1)
    """What stands there exactly once, and what takes its place."""
    tests: tuple[str, ...] = ()
    """Names of those tests, where not all of them are run."""
    error: str | None = None
    """Where the test fails by an exception other than AssertionError: words of its message."""
    loads: bool = True
    """Whether nginx still has to take the configuration; not where the rule is about one that it refuses."""


class Exemption(_Part):
    """A rule that cannot be taken out, and why."""

    rule: str
    reason: str = Field(min_length=20)


class _File(_Part):
    mutant: tuple[Mutant, ...] = ()
    exemption: tuple[Exemption, ...] = ()


@dataclass(frozen=True)
class Mutants:
    """All that is written down."""

    mutants: tuple[Mutant, ...]
    exemptions: tuple[Exemption, ...]


def load(folder: Path = EDITS) -> Mutants:
    """Read every file of a folder, in the order of the rules.

    Raises:
        MutantError: A file is not what it should be; the message names it.
    """
    files = [_parse(file) for file in sorted(folder.glob("*.toml"))]
    mutants = sorted((m for file in files for m in file.mutant), key=lambda m: position(m.rule))
    exemptions = sorted((e for file in files for e in file.exemption), key=lambda e: position(e.rule))
    return Mutants(tuple(mutants), tuple(exemptions))


def mutated(text: str, mutant: Mutant) -> str:
    """The text of the mutant's file, edited.

    Raises:
        MutantError: An edit does not fit: what it replaces is not there, or more than once.
    """
    for old, new in mutant.edits:
        if (count := text.count(old)) != 1:
            raise MutantError(
                f"rule {mutant.rule} ({mutant.removed}): what is replaced stands {count} times in {mutant.file} and "
                f"has to stand there once: {old.strip()!r}. Make the edit in testbed/mutants/edits/ fit again"
            )
        text = text.replace(old, new)
    return text


def without_mutant(rules: Iterable[str], of: Mutants) -> list[str]:
    """The rules that have neither a mutant nor a reason why not."""
    known = {m.rule for m in of.mutants} | {e.rule for e in of.exemptions}
    return [rule for rule in rules if rule not in known]


def _parse(file: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise MutantError(f"{file}: {error}") from error
