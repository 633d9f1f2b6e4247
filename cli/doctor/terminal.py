"""How findings look on a terminal, and the notice of a check that takes long."""

from collections.abc import Callable
from threading import Timer

from rich.text import Text

from cli.doctor.finding import Finding, Verdict

NOTICE_AFTER_SECONDS = 2.0
"""A check that takes longer than this without a finding is named."""

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red", Verdict.SKIPPED: "dim"}


def render(finding: Finding) -> Text:
    """The finding's line, with its verdict in colour."""
    return Text.assemble((f"{finding.verdict.word:>4}", _STYLES[finding.verdict]), f"  {finding.text}")


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
