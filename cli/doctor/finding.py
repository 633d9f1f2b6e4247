"""What a check found: one line for a person, one object for a program. Pure."""

from dataclasses import asdict, dataclass
from enum import StrEnum

_CHECK_WIDTH = 14


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warn"
    """It serves, and somebody should look at it."""
    FAILED = "fail"
    """Something is broken: pulls, refreshes or the next deployment fail, or will."""
    SKIPPED = "skip"
    """It could not be looked at, or there is nothing to look at."""

    @property
    def word(self) -> str:
        """As a line begins with it: a failure stands out in a file, too."""
        return self.upper() if self is Verdict.FAILED else self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What: one or two words.
        verdict: How bad it is.
        said: What was seen, with the values that matter; no secret.
        way_out: What to do about it; empty where nothing is to be done.
    """

    check: str
    verdict: Verdict
    said: str
    way_out: str = ""

    @property
    def line(self) -> str:
        """The finding as one line."""
        return f"{self.verdict.word:>4}  {self.text}"

    @property
    def text(self) -> str:
        """The line after its verdict."""
        said = f"{self.said}. To mend it: {self.way_out}" if self.way_out else self.said
        return f"{self.check:<{_CHECK_WIDTH}}  {' '.join(said.split())}"

    def to_json(self) -> dict[str, str]:
        """The finding as JSON's own types: `check`, `verdict`, `said`, `way_out`, always all four."""
        return {**asdict(self), "verdict": self.verdict.value}


def fine(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, said)


def warning(check: str, said: str, way_out: str) -> Finding:
    """It serves, and somebody should look at it."""
    return Finding(check, Verdict.WARNING, said, way_out)


def failure(check: str, said: str, way_out: str) -> Finding:
    """Something is broken: pulls, refreshes or the next deployment fail, or will."""
    return Finding(check, Verdict.FAILED, said, way_out)


def skipped(check: str, why: str) -> Finding:
    """It was not looked at."""
    return Finding(check, Verdict.SKIPPED, why)
