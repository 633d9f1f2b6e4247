"""`make mutants`: takes each rule of docs/request-handling.md out of the product, and expects a test of it to fail."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from testbed.mutants import mutant, references, results, rules, score
from testbed.mutants.mutant import Mutant, Mutants
from testbed.mutants.part import MutantError
from testbed.mutants.results import Results
from testbed.mutants.trial import Bench, Trial
from testbed.mutants.verdict import function

STATE = "/var/lib/ecr-frontdoor-mutants"


def main() -> int:
    """Try the mutants; returns 0 when every rule has one or a reason, and every one is killed."""
    arguments = _parser().parse_args()
    # Ended by Ctrl-C or by a signal, it leaves no sandbox behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        known = _known(arguments.rule)
        if arguments.check:
            print(f"mutants: all {len(known.mutants)} fit the product")
            return 0
        with ExitStack() as stack:
            trials = _tried(_benches(stack, arguments.state, arguments.jobs), known.mutants)
    except MutantError as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mutants: ended before the end", file=sys.stderr)
        return 128 + signal.SIGINT
    found = Results(trials, known.exemptions, minutes=(time.monotonic() - began) / 60)
    print(f"\n{found.table()}\n{found.summary()}")
    for path, text in ((arguments.markdown, found.markdown), (arguments.json, found.as_json)):
        if path:
            path.write_text(text(), encoding="utf-8")
    if not arguments.rule:
        score.record("rules", found.score())
    return 0 if found.killed == len(trials) else 1


def _known(only: Sequence[str]) -> Mutants:
    """The catalogue, or its part for these rules, once every mutant fits the product."""
    known = mutant.load()
    if bare := known.without(rules.documented()):
        raise MutantError(f"neither a mutant nor a reason in testbed/mutants/catalogue/ for {', '.join(bare)}")
    chosen = tuple(m for m in known.mutants if not only or m.rule in only)
    if reasons := [reason for m in chosen if (reason := references.unfit(m))]:
        raise MutantError("do not fit the product, fix them in testbed/mutants/catalogue/:\n" + "\n".join(reasons))
    return Mutants(chosen, tuple(e for e in known.exemptions if not only or e.rule in only))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed.mutants", description=__doc__)
    parser.add_argument("--rule", action="append", default=[], help="only this rule's mutants; may be repeated")
    parser.add_argument("--check", action="store_true", help="only check that every mutant fits the product")
    parser.add_argument("--jobs", type=int, default=2, help="sandboxes side by side [%(default)s]")
    parser.add_argument("--state", default=STATE, help="their folders begin so [%(default)s]")
    parser.add_argument("--markdown", type=Path, help="write the table here as well")
    parser.add_argument("--json", type=Path, help="write the results here as JSON")
    return parser


def _benches(stack: ExitStack, state: str, jobs: int) -> list[Bench]:
    """Sandboxes that are up until the stack ends."""
    benches = []
    for number in range(1, jobs + 1):
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mutants-")))
        bench = Bench(Path(f"{state}-{number}"), folder)
        stack.callback(bench.close)
        print(f"bringing sandbox {number} of {jobs} up", flush=True)
        bench.open()
        benches.append(bench)
    return benches


def _tried(benches: Sequence[Bench], mutants: Sequence[Mutant]) -> list[Trial]:
    """Each mutant on a free bench; then the tests that failed, on the product as it is."""
    free: SimpleQueue[Bench] = SimpleQueue()
    for bench in benches:
        free.put(bench)

    def attempt(of: Mutant) -> Trial:
        bench = free.get()
        try:
            return bench.trial(of, rules.marked()[of.rule])
        finally:
            free.put(bench)

    trials = []
    with ThreadPoolExecutor(len(benches)) as pool:
        try:
            for done in as_completed([pool.submit(attempt, m) for m in mutants]):
                trials.append(done.result())
                print(results.line(len(trials), len(mutants), trials[-1]), flush=True)
            return _confirmed(free, pool, trials)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for bench in benches:
                bench.stop()
            raise


def _confirmed(free: "SimpleQueue[Bench]", pool: ThreadPoolExecutor, trials: list[Trial]) -> list[Trial]:
    """The same trials, in which a test that fails without any mutant has killed none."""
    killers = sorted({function(trial.by) for trial in trials if trial.outcome == "killed"})

    def attempt(tests: Sequence[str]) -> dict[str, str]:
        bench = free.get()
        try:
            return bench.failed_without_mutant(tests)
        finally:
            free.put(bench)

    files: dict[str, list[str]] = {}
    for test in killers:
        files.setdefault(test.partition("::")[0], []).append(test)
    print(f"on the product as it is: the {len(killers)} tests that failed", flush=True)
    failed = {test: reason for found in pool.map(attempt, files.values()) for test, reason in found.items()}

    def confirmed(trial: Trial) -> Trial:
        reason = failed.get(function(trial.by)) if trial.outcome == "killed" else None
        if reason is None:
            return trial
        return replace(trial, outcome="broken", by=f"{trial.by} fails without the mutant, too: {reason}")

    return [confirmed(trial) for trial in trials]


if __name__ == "__main__":
    sys.exit(main())
