"""What came of the mutants: for people while they wait, as Markdown and as JSON. Pure."""

import json
from collections.abc import Iterable, Sequence

from tests.mutants.mutant import Exemption, position
from tests.mutants.trial import Trial


def line(number: int, of: int, trial: Trial) -> str:
    """One mutant's line of progress."""
    what = f"rule {trial.mutant.rule}: {trial.mutant.removed}"
    return f"[{number:>{len(str(of))}}/{of}] {trial.outcome:8} {trial.seconds:5.1f} s  {what}\n{'':>9}{trial.by}"


def markdown(trials: Iterable[Trial], exemptions: Sequence[Exemption]) -> str:
    """A table, in the order of the rules."""
    rows: list[tuple[str, ...]] = [
        (t.mutant.rule, t.mutant.removed, t.outcome, _name(t), f"{t.seconds:.1f}") for t in trials
    ]
    rows += [(e.rule, "cannot be taken out", "exempt", e.reason, "") for e in exemptions]
    head = ("rule", "what is taken out", "outcome", "by", "seconds")
    table = [head, ("---",) * len(head), *sorted(rows, key=lambda row: position(row[0]))]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in table)


def as_json(trials: Iterable[Trial], exemptions: Sequence[Exemption]) -> str:
    """The same for programs."""
    found = [
        {
            "rule": t.mutant.rule,
            "removed": t.mutant.removed,
            "outcome": t.outcome,
            "by": t.by,
            "seconds": round(t.seconds, 1),
        }
        for t in sorted(trials, key=lambda trial: position(trial.mutant.rule))
    ]
    return json.dumps({"mutants": found, "exemptions": [e.model_dump() for e in exemptions]}, indent=2) + "\n"


def _name(trial: Trial) -> str:
    by = trial.by.rpartition("::")[2] if trial.outcome == "killed" else trial.by
    return " ".join(by.split())
