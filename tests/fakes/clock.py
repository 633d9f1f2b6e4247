"""A clock that moves only by its own `sleep`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STARTED_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FakeClock:
    """Starts at STARTED_AT with `remaining_seconds` of an invocation ahead.

    Attributes:
        slept: What was waited for, in seconds.
        meanwhile: What another writer does during each wait.
    """

    def __init__(self, remaining_seconds: float = 420) -> None:
        self._now = STARTED_AT
        self._allowed_for = timedelta(seconds=remaining_seconds)
        self._ends_at = STARTED_AT + self._allowed_for
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self._now

    def remaining_seconds(self) -> float:
        return (self._ends_at - self._now).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        self.meanwhile()

    def begin_invocation(self) -> None:
        """Another one, with as much time as the first had."""
        self._ends_at = self._now + self._allowed_for
