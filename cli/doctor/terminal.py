"""How findings look on a terminal, and the notice of a check that takes long."""

import os
from collections.abc import Callable
from threading import Timer
from typing import TextIO

from cli.doctor.finding import Finding, Verdict

NOTICE_AFTER_SECONDS = 2.0
"""A check that takes longer than this without a finding is named."""

_COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.FAILED: "1;31", Verdict.SKIPPED: "2"}
"""https://www.ecma-international.org/publications-and-standards/standards/ecma-48/, 8.3.117."""


def has_colours(stream: TextIO) -> bool:
    """Whether the stream is a terminal and plain text was not requested (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def render_line(finding: Finding, *, colours: bool) -> str:
    """The finding's line, with its verdict in colour if `colours`."""
    if not colours:
        return finding.line
    return f"\x1b[{_COLOURS[finding.verdict]}m{finding.verdict.word:>4}\x1b[0m  {finding.text}"


class SlowCheckNotice:
    """Writes one line for each check that takes longer than `after_seconds`. Stop it afterwards."""

    def __init__(self, write: Callable[[str], object], after_seconds: float = NOTICE_AFTER_SECONDS) -> None:
        self._write = write
        self._after_seconds = after_seconds
        self._timer: Timer | None = None

    def start(self, check: str) -> None:
        """`check` works from now on, instead of the one before."""
        self.stop()
        self._timer = Timer(self._after_seconds, self._write, [f" ...  {check:<17}  still waiting for an answer"])
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """No check works any more."""
        if self._timer:
            self._timer.cancel()
