"""A mutant: a rule of docs/request-handling.md taken out of what the product produces. Pure but for `load`."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from testbed.mutants.configuration import NginxEdit
from testbed.mutants.manifest import Object, ObjectEdit
from testbed.mutants.part import MutantError, Part
from testbed.mutants.rules import position
from testbed.mutants.script import ScriptEdit

CATALOGUE = Path(__file__).parent / "catalogue"


class Mutant(Part):
    """What is taken out, and which tests have to notice."""

    rule: str
    """The id in the document; the tests that carry it are run."""
    removed: str = Field(min_length=5)
    """What is gone or wrong now, in a line."""
    edits: tuple[NginxEdit | ScriptEdit | ObjectEdit, ...] = Field(min_length=1)
    tests: tuple[str, ...] = ()
    """Names of those tests, where not all of them are run."""
    error: str | None = None
    """Where the test fails by an exception other than AssertionError: words of its message."""
    loads: bool = True
    """Whether nginx still has to take the configuration; not where the rule is about one that it refuses."""

    def configuration(self, text: str) -> str:
        """A rendered nginx configuration, mutated; the same text where this mutant has no place in it."""
        for edit in self.edits:
            if isinstance(edit, NginxEdit):
                text = edit.apply(text)
        return text

    def objects(self, objects: Sequence[Object]) -> list[dict[str, Any]]:
        """The objects of the charts, mutated."""
        mutated = [dict(item) for item in objects]
        for edit in self.edits:
            if isinstance(edit, ObjectEdit):
                mutated = edit.apply(mutated)
            elif isinstance(edit, ScriptEdit):
                mutated = [_with_modules(item, edit) for item in mutated]
        return mutated


class Exemption(Part):
    """A rule that cannot be taken out, and why."""

    rule: str
    reason: str = Field(min_length=20)


class _File(Part):
    mutant: tuple[Mutant, ...] = ()
    exemption: tuple[Exemption, ...] = ()


@dataclass(frozen=True)
class Mutants:
    """The whole catalogue, or a part of it."""

    mutants: tuple[Mutant, ...]
    exemptions: tuple[Exemption, ...]

    def without(self, rules: Iterable[str]) -> list[str]:
        """Those of the rules that have neither a mutant nor a reason why not."""
        known = {m.rule for m in self.mutants} | {e.rule for e in self.exemptions}
        return [rule for rule in rules if rule not in known]


def load(folder: Path = CATALOGUE) -> Mutants:
    """Read every file of a folder, in the order of the rules.

    Raises:
        MutantError: A file is not valid; the message names it.
    """
    files = [_parse(file) for file in sorted(folder.glob("*.toml"))]
    mutants = sorted((m for file in files for m in file.mutant), key=lambda m: position(m.rule))
    exemptions = sorted((e for file in files for e in file.exemption), key=lambda e: position(e.rule))
    return Mutants(tuple(mutants), tuple(exemptions))


def _with_modules(item: Object, edit: ScriptEdit) -> dict[str, Any]:
    """The object, its njs modules edited if it is the ConfigMap that has them."""
    data: Mapping[str, str] = item.get("data", {}) if item["kind"] == "ConfigMap" else {}
    # The page is of scripts, too.
    modules = {name: text for name, text in data.items() if name.endswith(".js")} if "frontdoor.js" in data else {}
    return {**item, "data": {**data, **edit.apply(modules)}} if modules else dict(item)


def _parse(file: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise MutantError(f"{file}: {error}") from error
