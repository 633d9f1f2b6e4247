"""Runs tests inside a sandbox, one run after the other, and so loads what is slow to load once.

A line of standard input holds a `Run`, as JSON; a line of standard output holds its `Report`.
"""

import io
import sys
from collections.abc import Generator
from contextlib import redirect_stderr, redirect_stdout

import pytest

from testbed.mutants.mutant import Mutant
from testbed.mutants.seam import Seam
from testbed.mutants.verdict import LOADS, Phase, Report, Run, function

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception")
"""A test that a mutant ends in the middle leaves processes; what Python says about them later would end pytest."""


class _Recorder:
    """A pytest plugin: how each phase of each test ended."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell a failed assertion from an accident; what `pytest.raises` finds missing is one as well."""
        report = yield
        raised: BaseException | None = call.excinfo.value if call.excinfo else None
        self.phases.append(
            Phase(
                test=item.nodeid,
                when=report.when,
                outcome=report.outcome,
                assertion=isinstance(raised, AssertionError | pytest.fail.Exception),
                message=f"{type(raised).__name__}: {raised}" if raised else "",
            )
        )
        return report


class _Selection:
    """A pytest plugin: runs only the tests of a mutant's rule, and LOADS."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect the others."""
        items[:] = [item for item in items if item.nodeid == LOADS or self._is_chosen(item)]

    def _is_chosen(self, item: pytest.Item) -> bool:
        ids = {rule for marker in item.iter_markers("rule") for rule in marker.args}
        named = self._mutant.tests
        return self._mutant.rule in ids and (not named or function(item.name) in named)


def main() -> None:
    """Answer until standard input ends."""
    seam = Seam()
    seam.install()
    for line in sys.stdin:
        run, recorder, output = Run.model_validate_json(line), _Recorder(), io.StringIO()
        plugins: list[object] = [recorder, *([_Selection(run.mutant)] if run.mutant else [])]
        with redirect_stdout(output), redirect_stderr(output), seam.holding(run.mutant):
            pytest.main([*run.arguments, *OPTIONS], plugins=plugins)
        report = Report(phases=tuple(recorder.phases), output=output.getvalue()[-1000:])
        sys.stdout.write(report.model_dump_json() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
