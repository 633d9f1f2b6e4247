"""Find wordings that the house style replaces: `python scripts/check_terms.py [FILE ...]`, else every tracked file.

It reads prose only: the comments, docstrings, strings and test names of Python, and whole lines of every other kind of
text. `scripts/terms.tsv` lists the wordings and their replacements, `scripts/terms-allowed.txt` the
allowed uses. A library was considered: vale lints prose, but sees neither Python's strings nor test names.
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TERMS = ROOT / "scripts" / "terms.tsv"
ALLOWED = ROOT / "scripts" / "terms-allowed.txt"

_READ = frozenset(
    {
        *("", ".conf", ".css", ".go", ".html", ".in", ".j2", ".js", ".json", ".lua", ".md", ".mjs", ".py", ".sh"),
        *(".svg", ".toml", ".yaml", ".yml"),
    }
)
"""Suffixes; a script without one is read as well."""
_NOT_OURS = ("LICENSE", "scripts/terms.tsv", "scripts/terms-allowed.txt")
_TEXT_TOKENS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", None)}
"""The tokens of Python that are text; since 3.12 an f-string is several tokens, and `FSTRING_MIDDLE` its text."""


@dataclass(frozen=True, slots=True)
class Term:
    """A wording to replace."""

    pattern: re.Pattern[str]
    instead: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One use of a wording to replace."""

    line: int
    found: str
    instead: str


def terms(text: str) -> list[Term]:
    """The terms of a file like `scripts/terms.tsv`.

    Raises:
        ValueError: A line has no tab, or its expression does not compile; names the line.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        expression, tab, instead = line.partition("\t")
        if not tab:
            raise ValueError(f"line {number} of the terms has no tab between the expression and its replacement")
        try:
            found.append(Term(re.compile(expression, re.IGNORECASE), instead))
        except re.error as error:
            raise ValueError(
                f"line {number} of the terms: {expression!r} is not a valid expression: {error}"
            ) from error
    return found


def allowed(text: str) -> re.Pattern[str]:
    """One expression for all allowed uses in a file like `scripts/terms-allowed.txt`."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return re.compile("|".join(f"(?:{line})" for line in lines) or r"(?!)", re.IGNORECASE)


def prose(name: str, text: str) -> Iterator[tuple[int, str]]:
    """The lines of a file that people read, with their numbers."""
    if not name.endswith(".py"):
        yield from enumerate(text.splitlines(), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _TEXT_TOKENS:
            yield from enumerate(token.string.splitlines(), start=token.start[0])
        elif token.type == tokenize.NAME and token.string.startswith("test_"):
            yield token.start[0], token.string.replace("_", " ")


def findings(name: str, text: str, wanted: list[Term], fine: re.Pattern[str]) -> Iterator[Finding]:
    """Every use of a term in a file's prose, allowed uses apart."""
    for number, line in prose(name, text):
        rest = fine.sub("", line)
        for term in wanted:
            if hit := term.pattern.search(rest):
                yield Finding(number, hit[0].strip(), term.instead)


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S607 - git is where the user has it
    return listed.stdout.splitlines()


def is_read(name: str) -> bool:
    """Whether a file of the tree, by its path, is text of our own."""
    return name not in _NOT_OURS and Path(name).suffix in _READ and (ROOT / name).is_file()


def main(names: list[str]) -> int:
    """Print each finding as `file:line: found; instead`; returns 1 when there is any."""
    wanted, fine = terms(TERMS.read_text("utf-8")), allowed(ALLOWED.read_text("utf-8"))
    count = 0
    for name in filter(is_read, names or _tracked()):
        for finding in findings(name, (ROOT / name).read_text("utf-8"), wanted, fine):
            count += 1
            print(f"{name}:{finding.line}: {finding.found!r}: write {finding.instead}")
    if count:
        print(f"{count} wordings to replace; scripts/terms-allowed.txt lists the reviewed exceptions")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
