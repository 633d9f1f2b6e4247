"""Hold each product file to the coverage floor: `python scripts/check_coverage.py COVERAGE_JSON`.

`coverage.toml` beside this file has the floor, and for each file below it a floor of its own with the reason. An
exception that is no longer needed, or names a file that does not exist, is an error too, so the list only shrinks.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RULES = Path(__file__).parent / "coverage.toml"


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


def main(report: str) -> int:
    """Print the faults of a report that `coverage json` wrote; returns 1 when there is any."""
    rules = tomllib.loads(RULES.read_text("utf-8"))
    files = json.loads(Path(report).read_text("utf-8"))["files"]
    measured = {file: float(entry["summary"]["percent_covered"]) for file, entry in files.items()}
    found = faults(measured, float(rules["floor"]), exceptions(rules))
    print("\n".join(found) or f"{len(measured)} files reach the coverage floor of {rules['floor']} %")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
