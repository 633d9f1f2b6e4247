"""The Lambda's own time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Deadline(Protocol):
    """What of the Lambda context says when the invocation is ended."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until then."""


class LambdaClock:
    """The clock of one invocation."""

    def __init__(self, context: Deadline) -> None:
        self._context = context

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    def remaining_seconds(self) -> float:
        """How long until the Lambda service ends this invocation."""
        return self._context.get_remaining_time_in_millis() / 1000

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
