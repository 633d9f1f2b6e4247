"""What the end of a test run says about a mutant. Pure."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from testbed.mutants.mutant import Mutant

LOADS = "tests/proxy/test_lifecycle.py::test_the_init_container_says_that_a_good_configuration_is_good"
"""Runs first: what nginx does not even load proves nothing about a test."""

Outcome = Literal["killed", "survived", "broken"]


class Run(BaseModel):
    """What a worker runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    arguments: tuple[str, ...]
    """Of pytest."""
    rule: str | None = None
    """Only tests that carry this id, and LOADS."""
    tests: tuple[str, ...] = ()
    """Only those of these names, where there are any."""


class Phase(BaseModel):
    """The set-up, call or teardown of one test."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    test: str
    when: str
    outcome: str
    assertion: bool
    """Whether it failed by one."""
    message: str
    """Kind and words of the exception it failed by."""


class Told(BaseModel):
    """All of a run."""

    phases: tuple[Phase, ...]
    output: str
    """The end of what pytest wrote."""


def function(test: str) -> str:
    """A test without its parameters, some of which are made up anew in each run."""
    return test.partition("[")[0]


def judged(mutant: Mutant, told: Told) -> tuple[Outcome, str]:
    """The outcome, and the test that failed or the reason."""
    if not told.phases:
        return "broken", f"no test ran: {told.output}"
    first = next((phase for phase in told.phases if phase.outcome == "failed"), None)
    if first is None:
        return "survived", "no test failed"
    if mutant.loads and first.test == LOADS:
        return "broken", f"nginx does not load it: {first.message}"
    if first.assertion if mutant.error is None else mutant.error in first.message:
        return "killed", first.test
    return "broken", f"{first.test} ({first.when}): {first.message}"


def unfit(told: Told, tests: set[str]) -> dict[str, str]:
    """Which of the tests did not pass, with what they say."""
    passed = {function(p.test) for p in told.phases if (p.when, p.outcome) == ("call", "passed")}
    failed = {function(p.test): p.message for p in told.phases if p.outcome == "failed"}
    return dict.fromkeys(tests - passed, told.output) | failed
