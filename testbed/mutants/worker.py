"""Runs tests inside a sandbox, one run after the other, and so loads what is slow to load once.

A line of standard input holds a `Run`, as JSON; a line of standard output holds its `Told`.
"""

import io
import sys
from collections.abc import Generator
from contextlib import redirect_stderr, redirect_stdout

import pytest

from testbed.mutants.verdict import LOADS, Phase, Run, Told, function


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
    """A pytest plugin: runs only the tests of a rule."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect the others."""
        items[:] = [item for item in items if item.nodeid == LOADS or self._is_chosen(item)]

    def _is_chosen(self, item: pytest.Item) -> bool:
        if self._run.rule is None:
            return True
        carried = {rule for marker in item.iter_markers("rule") for rule in marker.args}
        name = function(item.name)
        return self._run.rule in carried and (not self._run.tests or name in self._run.tests)


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        run, recorder, output = Run.model_validate_json(line), _Recorder(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(output):
            pytest.main([*run.arguments, "-q", "-p", "no:cacheprovider"], plugins=[recorder, _Selection(run)])
        told = Told(phases=tuple(recorder.phases), output=output.getvalue()[-1000:])
        sys.stdout.write(told.model_dump_json() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
