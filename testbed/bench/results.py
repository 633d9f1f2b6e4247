"""A run as JSON: the source of tables and pictures."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed.bench.machine import Machine
from testbed.bench.plan import PUBLISHED, Plan
from testbed.bench.samples import Gap, Sample, Samples

FOLDER = Path(__file__).parent / "results"
"""Those that docs/performance.md shows; a run that leaves something out writes to a folder below it."""
FILE = "results.json"


@dataclass(frozen=True, slots=True)
class Results:
    """One run.

    Attributes:
        titles: Contestant -> how it is called, in the order of tables.
        began_at: ISO 8601.
    """

    began_at: str
    seconds: float
    machine: Machine
    plan: Plan
    titles: dict[str, str]
    samples: Sequence[Sample]
    gaps: Sequence[Gap]

    @property
    def figures(self) -> Samples:
        """The samples, with their queries."""
        return Samples(self.samples)

    @property
    def published(self) -> bool:
        """Whether docs/performance.md shows them."""
        return self.plan.name in PUBLISHED

    def write(self, folder: Path) -> None:
        """Write the JSON, one line for each sample."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {**asdict(self), "samples": []}
        lines = ",\n".join("  " + json.dumps(list(asdict(sample).values())) for sample in self.samples)
        text = json.dumps(head, indent=1).replace('"samples": []', f'"samples": [\n{lines}\n ]')
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def folder_of(plan: str, only: str = "") -> Path:
    """Where the results of a plan go, by its name; those of one measure elsewhere."""
    return FOLDER if plan in PUBLISHED and not only else FOLDER / "short"


def read(folder: Path) -> Results:
    """What a run wrote.

    Raises:
        FileNotFoundError: Nothing was written there.
    """
    stored = json.loads((folder / FILE).read_text(encoding="utf-8"))
    stored["machine"] = Machine(**stored["machine"])
    plan: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored["plan"].items()}
    stored["plan"] = Plan(**plan)
    stored["samples"] = [Sample(*values) for values in stored["samples"]]
    stored["gaps"] = [Gap(**gap) for gap in stored["gaps"]]
    return Results(**stored)
