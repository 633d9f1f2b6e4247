"""Second part of `make mutants`: mutmut changes expressions of the Lambda's modules, and unit tests have to notice.

`[tool.mutmut]` in pyproject.toml names the modules and their tests. What may survive stands in survivors.toml.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from testbed.mutants import score, tree

LONGEST_SECONDS = 900
"""A run takes four minutes on two cores."""
SURVIVORS = Path(__file__).with_name("survivors.toml")
_KILLED = frozenset({"killed", "timeout"})
_RESULT = re.compile(r"^\s+(?P<name>\S+__mutmut_\d+): (?P<status>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed: what a line was, and what it became."""

    name: str
    before: str
    after: str

    @property
    def is_wording(self) -> bool:
        """Whether only the text of a message changed, which is not behaviour."""
        return self.before.lower() == self.after.replace("XX", "").lower()

    def __str__(self) -> str:
        """As a diff."""
        return f"{self.name}\n  - {self.before}\n  + {self.after}"


def main() -> int:
    """Run mutmut in a copy of the sources; returns 0 when every mutant is killed, or is known to survive."""
    argparse.ArgumentParser(prog="python -m testbed.mutants.modules", description=__doc__).parse_args()
    with TemporaryDirectory(prefix="mutmut-") as folder:
        copied = tree.copy(Path(folder))
        try:
            _mutmut(copied, "run", "--max-children", "2")
        except subprocess.SubprocessError as error:
            print(f"mutmut: {error}", file=sys.stderr)
            return 2
        statuses = {m["name"]: m["status"] for m in _RESULT.finditer(_mutmut(copied, "results", "--all", "true"))}
        survivors = [_survivor(copied, name) for name, status in statuses.items() if status not in _KILLED]
    counts = counted(statuses)
    print("\n".join(f"{module}: {count} mutants killed" for module, count in counts.items()))
    score.record("modules", counts)
    unknown = [s for s in survivors if not s.is_wording and (s.before, s.after) not in accepted()]
    for survivor in unknown:
        print(f"survived: {survivor}\n  Fix: write the test that notices, or give the reason in {SURVIVORS.name}")
    return 1 if unknown or not statuses else 0


def counted(statuses: Mapping[str, str]) -> dict[str, str]:
    """Module -> how many of its mutants are killed, such as `103 of 104`."""
    every = Counter(_module(name) for name in statuses)
    killed = Counter(_module(name) for name, status in statuses.items() if status in _KILLED)
    return {module: f"{killed[module]} of {count}" for module, count in sorted(every.items())}


def accepted(file: Path = SURVIVORS) -> dict[tuple[str, str], str]:
    """The line before and after -> the reason why no test can or has to notice."""
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["survivor"]
    return {(entry["before"], entry["after"]): entry["reason"] for entry in entries}


def changed_lines(name: str, diff: str) -> Survivor:
    """The changed lines of a diff, each joined and without indentation."""
    removed, added = (
        " ".join(text.strip() for text in re.findall(rf"^[{sign}](?![{sign}])(.*)$", diff, re.MULTILINE))
        for sign in "-+"
    )
    return Survivor(name, removed, added)


def _survivor(folder: Path, name: str) -> Survivor:
    return changed_lines(name, _mutmut(folder, "show", name))


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _mutmut(folder: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    done = subprocess.run(  # noqa: S603 - mutmut
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST_SECONDS
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
