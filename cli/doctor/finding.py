"""The result of a check: one line for a person, one object for a program. Pure."""

from dataclasses import dataclass
from enum import StrEnum

_CHECK_WIDTH = 17


class Verdict(StrEnum):
    """How severe a finding is."""

    OK = "ok"
    WARNING = "warn"
    """Pulls work, but an operator should act, or the check could not read what it needs."""
    FAILED = "fail"
    """Pulls, refreshes or the next deployment fail, or will fail."""
    SKIPPED = "skip"
    """Not checked; the message says why."""

    @property
    def word(self) -> str:
        """The verdict as a line begins with it. A failure is in capitals, to stand out without colours."""
        return self.upper() if self is Verdict.FAILED else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of one check.

    Attributes:
        environment: The name of the examined environment, where a folder of them is examined.
        check: The stable id of the check; the examination sets it, and the two after it.
        category: Where the check looks.
        runbook: The document, with its section, that explains what the check looks at.
        verdict: How severe it is.
        message: The cause and the state, with the values that matter; never a secret.
        hint: The fix; empty where there is nothing to fix.
        fatal: Whether the checks that need this one cannot run.
    """

    environment: str = ""
    check: str = ""
    category: str = ""
    runbook: str = ""
    verdict: Verdict
    message: str
    hint: str = ""
    fatal: bool = False

    @property
    def line(self) -> str:
        """The finding as one line."""
        return f"{self.verdict.word:>4}  {self.text}"

    @property
    def text(self) -> str:
        """The line after its verdict."""
        text = f"{self.message}. Fix: {self.hint}" if self.hint else self.message
        if self.hint and self.runbook and self.runbook.partition("#")[0] not in self.hint:
            text += f" ({self.runbook})"
        of = f"{self.environment:<{_CHECK_WIDTH}}  " if self.environment else ""
        return f"{of}{self.check:<{_CHECK_WIDTH}}  {' '.join(text.split())}"

    def to_json(self) -> dict[str, str]:
        """The finding as JSON types: always the same six keys, and before them `environment` where it has one."""
        return ({"environment": self.environment} if self.environment else {}) | {
            "check": self.check,
            "category": self.category,
            "verdict": self.verdict.value,
            "message": self.message,
            "hint": self.hint,
            "runbook": self.runbook,
        }


def ok(message: str) -> Finding:
    """Nothing is wrong."""
    return Finding(verdict=Verdict.OK, message=message)


def warning(message: str, hint: str) -> Finding:
    """Pulls work, but an operator should act."""
    return Finding(verdict=Verdict.WARNING, message=message, hint=hint)


def failed(message: str, hint: str, *, fatal: bool = False) -> Finding:
    """Pulls, refreshes or the next deployment fail, or will fail."""
    return Finding(verdict=Verdict.FAILED, message=message, hint=hint, fatal=fatal)


def skipped(message: str) -> Finding:
    """Not checked."""
    return Finding(verdict=Verdict.SKIPPED, message=message)
