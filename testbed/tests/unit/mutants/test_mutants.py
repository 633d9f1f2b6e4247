"""The catalogue of mutants, and what the end of a test run says about one. `make mutants` tries them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.mutants.configuration import NginxEdit
from testbed.mutants.mutant import Exemption, Mutant, load
from testbed.mutants.references import products, unfit
from testbed.mutants.results import Results
from testbed.mutants.rules import ROOT, documented, marked
from testbed.mutants.script import ScriptEdit
from testbed.mutants.trial import Trial
from testbed.mutants.verdict import LOADS, Phase, Report, failed_without_mutant, judged

KNOWN = load()
MUTANT = Mutant(
    rule="R1",
    removed="what is removed",
    edits=(NginxEdit(nginx=("no_such_directive",), remove=True),),
    tests=("test_x",),
)
NODE = Path(sys.executable).with_name("node")
UNREADABLE = """
const { SourceTextModule } = require('vm');
for (const [name, text] of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    try { new SourceTextModule(text); } catch (e) { console.log(`${name}: ${e.message}`); }
}
"""
"""A program of Node: names the modules on its standard input that do not parse."""


def test_every_rule_of_the_document_has_a_mutant_or_a_reason_why_not() -> None:
    assert KNOWN.without(documented()) == []
    exempt, mutated = {e.rule for e in KNOWN.exemptions}, {m.rule for m in KNOWN.mutants}
    assert exempt & mutated == set()
    assert exempt | mutated <= set(documented())


@pytest.mark.parametrize("mutant", KNOWN.mutants, ids=lambda m: f"{m.rule} {m.removed}")
def test_every_mutant_changes_the_product_and_its_tests_carry_its_rule(mutant: Mutant) -> None:
    assert unfit(mutant) is None
    sources = "".join((ROOT / file).read_text(encoding="utf-8") for file in marked()[mutant.rule])
    assert [name for name in mutant.tests if f"def {name}(" not in sources] == []


def unreadable(modules: list[tuple[str, str]]) -> list[str]:
    """The names of the modules that are not JavaScript, each with the reason."""
    words = [str(NODE), "--no-warnings", "--experimental-vm-modules", "--eval", UNREADABLE]
    done = subprocess.run(words, input=json.dumps(modules), check=True, capture_output=True, text=True)  # noqa: S603 - node
    return done.stdout.splitlines()


def test_every_mutant_of_a_script_leaves_a_script_that_nginx_can_read() -> None:
    objects = products()[0].objects
    (scripts,) = [data for item in objects if "frontdoor.js" in (data := item.get("data", {}))]
    mutated = []
    for mutant in KNOWN.mutants:
        modules = {name: text for name, text in scripts.items() if name.endswith(".js")}
        for edit in mutant.edits:
            modules = edit.apply(modules) if isinstance(edit, ScriptEdit) else modules
        changed = [name for name, text in modules.items() if text != scripts[name]]
        mutated += [(f"{mutant.rule} ({mutant.removed}), {name}", modules[name]) for name in changed]
    assert len(mutated) > 100
    assert unreadable(mutated) == []


def test_a_script_that_does_not_parse_is_named() -> None:
    assert unreadable([("a", "import b from 'b';"), ("c", "[1].forEach(x => );")]) == ["c: Unexpected token ')'"]


def test_a_mutant_that_changes_nothing_is_reported_with_its_rule() -> None:
    assert (unfit(MUTANT) or "").startswith("R1 (what is removed): nothing of the product changes")


def phase(test: str, outcome: str, *, assertion: bool = False, message: str = "") -> Phase:
    return Phase(test=test, when="call", outcome=outcome, assertion=assertion, message=message)


def report(*phases: Phase) -> Report:
    return Report(phases=phases, output="the end")


@pytest.mark.parametrize(
    ("phases", "outcome", "by"),
    [
        ([], "broken", "no test of the rule ran: the end"),
        ([phase(LOADS, "passed")], "broken", "no test of the rule ran: the end"),
        ([phase(LOADS, "failed", assertion=True)], "broken", "nginx does not load it"),
        ([phase(LOADS, "passed"), phase("x", "passed")], "survived", "no test failed"),
        ([phase(LOADS, "passed"), phase("x", "failed", message="OSError")], "broken", "x (call): OSError"),
        ([phase(LOADS, "passed"), phase("x", "failed", assertion=True)], "killed", "x"),
    ],
)
def test_only_a_failed_assertion_kills_a_mutant_that_nginx_loads(phases: list[Phase], outcome: str, by: str) -> None:
    found = judged(MUTANT, report(*phases))
    assert found[0] == outcome
    assert found[1].startswith(by)


def test_only_the_expected_error_kills_a_mutant_that_expects_one() -> None:
    ending = MUTANT.model_copy(update={"error": "Connection refused"})
    assert judged(ending, report(phase("x", "failed", message="OSError: Connection refused")))[0] == "killed"
    assert judged(ending, report(phase("x", "failed", assertion=True)))[0] == "broken"


def test_a_test_that_fails_or_does_not_run_without_a_mutant_is_reported() -> None:
    found = failed_without_mutant(
        report(phase("a[1]", "passed"), phase("a[2]", "failed", message="no"), phase("b", "passed")), {"a", "b", "c"}
    )
    assert found == {"a": "no", "c": "the end"}


def test_the_table_is_in_the_order_of_the_rules_and_the_score_counts_by_rule() -> None:
    trials = [
        Trial(MUTANT.model_copy(update={"rule": "F2"}), "survived", "no test failed", 1.25),
        Trial(MUTANT.model_copy(update={"rule": "R10"}), "killed", "a::x[a|b]", 1.25),
    ]
    found = Results(trials, [Exemption(rule="R9", reason="nothing can be taken out here")], minutes=12.4)
    assert found.summary() == "1 of 2 mutants killed, 1 rules exempt, in 12 minutes"
    assert [row.split(" | ")[0] for row in found.table().splitlines()[2:]] == ["| R9", "| R10", "| F2"]
    assert "| R10 | what is removed | killed | `x[a\\|b]` | 1.2 |" in found.markdown()
    assert found.score() == {"R9": "exempt", "R10": "1 of 1", "F2": "0 of 1"}
