"""Tries mutants in a sandbox: the tests of a rule run on the mutated product, and one of them has to fail."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from testbed.mutants import tree
from testbed.mutants.mutant import Mutant
from testbed.mutants.part import MutantError
from testbed.mutants.verdict import LOADS, Outcome, Report, Run, failed_without_mutant, judged

LONGEST_SECONDS = 600
"""One mutant takes seconds; this ends one that hangs."""


@dataclass(frozen=True)
class Trial:
    """The result for a mutant: `by` is the test that failed, or the reason why none did."""

    mutant: Mutant
    outcome: Outcome
    by: str
    seconds: float


class Bench:
    """A sandbox and a copy of the sources, for one mutant at a time."""

    def __init__(self, state: Path, folder: Path) -> None:
        self._sandbox = [sys.executable, "-m", "testbed.sandbox", "--state", str(state)]
        self._tree = tree.copy(folder)
        self._worker: subprocess.Popen[str] | None = None
        self._stopped = False

    def open(self) -> None:
        """Bring the sandbox up.

        Raises:
            MutantError: It does not come up; the message ends with the end of its output.
        """
        up = [*self._sandbox, "up"]
        done = subprocess.run(up, cwd=self._tree, check=False, capture_output=True, text=True)  # noqa: S603 - ours
        if done.returncode:
            raise MutantError(f"`{' '.join(up)}` ended with {done.returncode}: {done.stderr[-1000:]}")

    def stop(self) -> None:
        """End the tests that run, and any that would; from another thread."""
        self._stopped = True
        if worker := self._worker:
            worker.terminate()

    def close(self) -> None:
        """Take it down. From here on no signal interrupts this process: half a sandbox would stay."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._dismiss()
        subprocess.run([*self._sandbox, "down"], cwd=self._tree, check=False, capture_output=True)  # noqa: S603 - ours

    def trial(self, mutant: Mutant, files: Sequence[str]) -> Trial:
        """Run the tests of the mutant's rule, which are in these files, on the mutated product."""
        began = time.monotonic()
        first = [LOADS] if mutant.loads else []
        report = self._run(Run(arguments=(*first, *files, "-x"), mutant=mutant))
        outcome, by = judged(mutant, report)
        return Trial(mutant, outcome, by, time.monotonic() - began)

    def failed_without_mutant(self, tests: Sequence[str]) -> dict[str, str]:
        """Run tests on the product as it is: those that fail here, too, with the reason."""
        return failed_without_mutant(self._run(Run(arguments=tuple(tests))), set(tests))

    def _run(self, run: Run) -> Report:
        worker = self._worker = self._worker or self._start()
        if self._stopped:
            worker.terminate()
        assert worker.stdin
        assert worker.stdout
        worker.stdin.write(run.model_dump_json(exclude_unset=True) + "\n")
        worker.stdin.flush()
        timer = Timer(LONGEST_SECONDS, worker.terminate)
        timer.start()
        line = worker.stdout.readline()
        timer.cancel()
        if not line:
            self._dismiss()
            return Report(phases=(), output=f"the tests ended pytest, or took longer than {LONGEST_SECONDS} s")
        return Report.model_validate_json(line)

    def _start(self) -> "subprocess.Popen[str]":
        words = [*self._sandbox, "run", "--", "python", "-m", "testbed.mutants.worker"]
        return subprocess.Popen(words, cwd=self._tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours

    def _dismiss(self) -> None:
        if self._worker:
            self._worker.communicate()
        self._worker = None
