"""How findings look to a person, and what is said while one lets itself be waited for."""

import os
from collections.abc import Callable
from threading import Timer
from typing import TextIO

from cli.doctor.finding import Finding, Verdict

PATIENCE_SECONDS = 2.0
"""After so long without a finding, a person is told what is being waited for."""

_COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.FAILED: "1;31", Verdict.SKIPPED: "2"}
"""https://www.ecma-international.org/publications-and-standards/standards/ecma-48/, 8.3.117."""


def has_colours(stream: TextIO) -> bool:
    """Whether it is a terminal, and nobody asked for plain text (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(finding: Finding, *, colours: bool) -> str:
    """The finding's line, its verdict in colour where there are colours."""
    if not colours:
        return finding.line
    return f"\x1b[{_COLOURS[finding.verdict]}m{finding.verdict.word:>4}\x1b[0m  {finding.text}"


class Waiting:
    """Says what is being waited for, once for each thing that takes longer than `after_seconds`. End it afterwards."""

    def __init__(self, say: Callable[[str], object], after_seconds: float = PATIENCE_SECONDS) -> None:
        self._say = say
        self._after_seconds = after_seconds
        self._timer: Timer | None = None

    def begin(self, what: str) -> None:
        """From now on it is `what`."""
        self.end()
        self._timer = Timer(self._after_seconds, self._say, [f" ...  {what:<14}  still looking"])
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """It has come."""
        if self._timer:
            self._timer.cancel()
