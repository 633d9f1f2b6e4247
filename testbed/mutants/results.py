"""The results of the mutants: for people while they wait, as a document, as JSON, and as the score. Pure."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from testbed.mutants.mutant import Exemption
from testbed.mutants.rules import position
from testbed.mutants.trial import Trial


def line(number: int, of: int, trial: Trial) -> str:
    """One mutant's line of progress."""
    what = f"{trial.mutant.rule}: {trial.mutant.removed}"
    return f"[{number:>{len(str(of))}}/{of}] {trial.outcome:8} {trial.seconds:5.1f} s  {what}\n{'':>9}{trial.by}"


@dataclass(frozen=True)
class Results:
    """The results of a run."""

    trials: Sequence[Trial]
    exemptions: Sequence[Exemption]
    minutes: float

    @property
    def killed(self) -> int:
        """How many mutants."""
        return sum(trial.outcome == "killed" for trial in self.trials)

    def summary(self) -> str:
        """In a line."""
        counts = f"{self.killed} of {len(self.trials)} mutants killed, {len(self.exemptions)} rules exempt"
        return f"{counts}, in {self.minutes:.0f} minutes"

    def score(self) -> dict[str, str]:
        """Id -> how many of its mutants are killed, such as `2 of 2`; in the order of the rules."""
        all_of, killed = (
            Counter(t.mutant.rule for t in self.trials),
            Counter(t.mutant.rule for t in self.trials if t.outcome == "killed"),
        )
        found = {rule: f"{killed[rule]} of {count}" for rule, count in all_of.items()}
        found |= {e.rule: "exempt" for e in self.exemptions}
        return {rule: found[rule] for rule in sorted(found, key=position)}

    def markdown(self) -> str:
        """A document of its own."""
        return f"# Mutants\n\n{datetime.now(UTC):%Y-%m-%d}: {self.summary()}.\n\n{self.table()}"

    def table(self) -> str:
        """In the order of the rules, as Markdown."""
        rows: list[tuple[str, ...]] = [
            (t.mutant.rule, t.mutant.removed, t.outcome, _name(t), f"{t.seconds:.1f}") for t in self.trials
        ]
        rows += [(e.rule, "cannot be taken out", "exempt", e.reason, "") for e in self.exemptions]
        head = ("rule", "what is taken out", "outcome", "by", "seconds")
        table = [head, ("---",) * len(head), *sorted(rows, key=lambda row: position(row[0]))]
        return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in table)

    def as_json(self) -> str:
        """The same for programs."""
        found = [
            {
                "rule": t.mutant.rule,
                "removed": t.mutant.removed,
                "outcome": t.outcome,
                "by": t.by,
                "seconds": round(t.seconds, 1),
            }
            for t in sorted(self.trials, key=lambda trial: position(trial.mutant.rule))
        ]
        return json.dumps({"mutants": found, "exemptions": [e.model_dump() for e in self.exemptions]}, indent=2) + "\n"


def _name(trial: Trial) -> str:
    by = trial.by.rpartition("::")[2] if trial.outcome == "killed" else trial.by
    return f"`{' '.join(by.split())}`"
