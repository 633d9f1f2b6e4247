"""Whether the mutants still fit: every rule has one or a reason, and every edit finds what it replaces.

`make mutants` tries them.
"""

import pytest

from testbed.mutants.mutant import Exemption, Mutant, MutantError, load, mutated, without_mutant
from testbed.mutants.results import Results
from testbed.mutants.rules import ROOT, documented, marked
from testbed.mutants.trial import Trial
from testbed.mutants.verdict import LOADS, Phase, Told, judged, unfit

KNOWN = load()
MUTANT = Mutant(rule="R1", removed="what is removed", edits=(("old", "new"),), tests=("test_x",))


def test_every_rule_of_the_document_has_a_mutant_or_a_reason_why_not() -> None:
    assert without_mutant(documented(), KNOWN) == []
    assert {e.rule for e in KNOWN.exemptions} & {m.rule for m in KNOWN.mutants} == set()
    assert {e.rule for e in KNOWN.exemptions} <= set(documented())


@pytest.mark.parametrize("mutant", KNOWN.mutants, ids=lambda m: f"{m.rule} {m.removed}")
def test_every_mutant_fits_the_sources_and_the_rule_it_is_about(mutant: Mutant) -> None:
    sources = "".join((ROOT / file).read_text(encoding="utf-8") for file in marked()[mutant.rule])
    assert [name for name in mutant.tests if f"def {name}(" not in sources] == []
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutated(text, mutant) != text


@pytest.mark.parametrize(("text", "times"), [("nothing", 0), ("old old", 2)])
def test_an_edit_that_does_not_fit_names_the_rule_and_what_it_looks_for(text: str, times: int) -> None:
    with pytest.raises(MutantError, match=rf"rule R1 \(what is removed\).* stands {times} times in .*'old'"):
        mutated(text, MUTANT)


def phase(test: str, outcome: str, *, assertion: bool = False, message: str = "") -> Phase:
    return Phase(test=test, when="call", outcome=outcome, assertion=assertion, message=message)


def told(*phases: Phase) -> Told:
    return Told(phases=phases, output="the end")


@pytest.mark.parametrize(
    ("phases", "outcome", "by"),
    [
        ([], "broken", "no test ran: the end"),
        ([phase(LOADS, "failed", assertion=True)], "broken", "nginx does not load it"),
        ([phase(LOADS, "passed"), phase("x", "passed")], "survived", "no test failed"),
        ([phase(LOADS, "passed"), phase("x", "failed", message="OSError")], "broken", "x (call): OSError"),
        ([phase(LOADS, "passed"), phase("x", "failed", assertion=True)], "killed", "x"),
    ],
)
def test_only_a_failed_assertion_kills_a_mutant_that_nginx_loads(phases: list[Phase], outcome: str, by: str) -> None:
    found = judged(MUTANT, told(*phases))
    assert found[0] == outcome
    assert found[1].startswith(by)


def test_where_another_error_is_expected_no_other_one_will_do() -> None:
    dying = MUTANT.model_copy(update={"error": "Connection refused"})
    assert judged(dying, told(phase("x", "failed", message="OSError: Connection refused")))[0] == "killed"
    assert judged(dying, told(phase("x", "failed", assertion=True)))[0] == "broken"


def test_a_test_that_fails_or_does_not_run_without_a_mutant_is_unfit() -> None:
    found = unfit(
        told(phase("a[1]", "passed"), phase("a[2]", "failed", message="no"), phase("b", "passed")), {"a", "b", "c"}
    )
    assert found == {"a": "no", "c": "the end"}


def test_the_document_has_the_rules_in_their_order_and_how_many_were_killed() -> None:
    trials = [
        Trial(MUTANT.model_copy(update={"rule": "F2"}), "survived", "no test failed", 1.25),
        Trial(MUTANT.model_copy(update={"rule": "R10"}), "killed", "a::x[a|b]", 1.25),
    ]
    found = Results(trials, [Exemption(rule="R9", reason="nothing can be taken out here")], minutes=12.4)
    assert found.summary() == "1 of 2 mutants killed, 1 rules exempt, in 12 minutes"
    assert [row.split(" | ")[0] for row in found.table().splitlines()[2:]] == ["| R9", "| R10", "| F2"]
    assert "| R10 | what is removed | killed | `x[a\\|b]` | 1.2 |" in found.markdown()
