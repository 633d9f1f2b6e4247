"""Hold each product file to the coverage floor: `python scripts/check_coverage.py COVERAGE_JSON`.

`coverage.toml` beside this file has the floor, and for each file below it a floor of its own with the reason. An
exception that is no longer needed, or names a file that does not exist, is an error too, so the list only shrinks. A
comment that leaves lines out of the measurement is an error as well.
"""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES = Path(__file__).parent / "coverage.toml"
_LEFT_OUT = re.compile(r"#.*\bpragma\b.*\bno[ -]?(?:cover|branch)", re.IGNORECASE)
"""https://coverage.readthedocs.io/en/latest/excluding.html"""


@dataclass(frozen=True, slots=True)
class Exempt:
    """A file that may stay below the common floor.

    Attributes:
        floor: Its own floor, in per cent.
        reason: Why its lines cannot or need not run in the suite that is measured.
    """

    floor: float
    reason: str


def exceptions(rules: Mapping[str, Any]) -> dict[str, Exempt]:
    """The exceptions by file.

    Raises:
        ValueError: One has no floor or no reason; names it.
    """
    found = {}
    for file, entry in rules.get("exceptions", {}).items():
        if not entry.get("reason") or "floor" not in entry:
            raise ValueError(f"the exception of {file} needs a floor and a reason")
        found[file] = Exempt(float(entry["floor"]), entry["reason"])
    return found


def faults(measured: Mapping[str, float], floor: float, exempt: Mapping[str, Exempt]) -> list[str]:
    """What is wrong, a line each: files below their floor, and exceptions without use.

    Args:
        measured: Covered lines in per cent by file.
        floor: The floor of a file without an exception, in per cent.
        exempt: The exceptions.
    """
    below = [
        f"{file}: {covered:.0f} % of its lines are covered, at least {wanted:.0f} % are required: add a test, or an "
        "exception with its reason to scripts/coverage.toml"
        for file, covered in sorted(measured.items())
        if covered < (wanted := exempt[file].floor if file in exempt else floor)
    ]
    unknown = [f"{file}: scripts/coverage.toml names it, and it was not measured" for file in exempt.keys() - measured]
    unused = [
        f"{file}: {measured[file]:.0f} % of its lines are covered: remove its exception from scripts/coverage.toml"
        for file in sorted(exempt.keys() & measured.keys())
        if measured[file] >= floor
    ]
    return [*below, *sorted(unknown), *unused]


def left_out(files: Mapping[str, str]) -> list[str]:
    """The comments by which coverage leaves lines out, a line each: an exception in `coverage.toml` shows its reason.

    Args:
        files: The text of each file.
    """
    return [
        f"{file}:{number}: `pragma: no cover` leaves lines out of the measurement: remove it, and add a test, or an "
        "exception with its reason to scripts/coverage.toml"
        for file, text in sorted(files.items())
        for number, line in enumerate(text.splitlines(), 1)
        if _LEFT_OUT.search(line)
    ]


def main(report: str) -> int:
    """Print the faults of a report that `coverage json` wrote; returns 1 when there is any."""
    rules = tomllib.loads(RULES.read_text("utf-8"))
    files = json.loads(Path(report).read_text("utf-8"))["files"]
    measured = {file: float(entry["summary"]["percent_covered"]) for file, entry in files.items()}
    texts = {file: (RULES.parents[1] / file).read_text("utf-8") for file in files}
    found = [*faults(measured, float(rules["floor"]), exceptions(rules)), *left_out(texts)]
    print("\n".join(found) or f"{len(measured)} files reach the coverage floor of {rules['floor']} %")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
