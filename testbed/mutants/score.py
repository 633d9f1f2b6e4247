"""`score.json`: what the repository keeps of the last complete run of each kind of mutant."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

SCORE = Path(__file__).with_name("score.json")


def record(kind: str, counts: Mapping[str, str], file: Path = SCORE) -> None:
    """Replace the counts of one kind, such as `rules` or `modules`; the others stay."""
    score = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    score[kind] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **counts}
    file.write_text(json.dumps(score, indent=2) + "\n", encoding="utf-8")
