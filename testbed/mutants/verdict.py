"""What the end of a test run says about a mutant. Pure."""

from typing import Literal

from testbed.mutants.mutant import Mutant
from testbed.mutants.part import Part

LOADS = "tests/proxy/test_lifecycle.py::test_the_init_container_accepts_a_valid_configuration"
"""Runs first: a configuration that nginx does not load proves nothing about a test."""

Outcome = Literal["killed", "survived", "broken"]


class Run(Part):
    """What a worker runs."""

    arguments: tuple[str, ...]
    """Of pytest."""
    mutant: Mutant | None = None
    """In the product meanwhile; only tests of its rule run, and LOADS."""


class Phase(Part):
    """The set-up, call or teardown of one test."""

    test: str
    when: str
    outcome: str
    assertion: bool
    """Whether it failed by one."""
    message: str
    """Kind and words of the exception it failed by."""


class Report(Part):
    """The result of a run."""

    phases: tuple[Phase, ...]
    output: str
    """The end of pytest's output."""


def function(test: str) -> str:
    """A test without its parameters, some of which are random."""
    return test.partition("[")[0]


def judged(mutant: Mutant, report: Report) -> tuple[Outcome, str]:
    """The outcome, and the test that failed or the reason."""
    first = next((phase for phase in report.phases if phase.outcome == "failed"), None)
    if first is None and all(phase.test == LOADS for phase in report.phases):
        return "broken", f"no test of the rule ran: {report.output}"
    if first is None:
        return "survived", "no test failed"
    if mutant.loads and first.test == LOADS:
        return "broken", f"nginx does not load it: {first.message}"
    if first.assertion if mutant.error is None else mutant.error in first.message:
        return "killed", first.test
    return "broken", f"{first.test} ({first.when}): {first.message}"


def failed_without_mutant(report: Report, tests: set[str]) -> dict[str, str]:
    """Which of the tests did not pass, with the reason."""
    passed = {function(p.test) for p in report.phases if (p.when, p.outcome) == ("call", "passed")}
    failed = {function(p.test): p.message for p in report.phases if p.outcome == "failed"}
    return dict.fromkeys(tests - passed, report.output) | failed
