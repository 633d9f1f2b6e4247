"""Runs tests inside a sandbox, one run after the other, and so loads what is slow to load once.

A line of standard input holds pytest's arguments, as JSON; a line of standard output what came of them.
"""

import io
import json
import sys
from collections.abc import Generator
from contextlib import redirect_stderr, redirect_stdout

import pytest

from testbed.mutants.verdict import Phase, Told


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


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        recorder, output = _Recorder(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(output):
            pytest.main([*json.loads(line), "-q", "-p", "no:cacheprovider"], plugins=[recorder])
        told = Told(phases=tuple(recorder.phases), output=output.getvalue()[-1000:])
        sys.stdout.write(told.model_dump_json() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
