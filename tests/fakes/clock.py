"""A clock that moves only when somebody sleeps."""

from datetime import UTC, datetime, timedelta

STARTED_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FakeClock:
    """Starts at STARTED_AT with `remaining_seconds` of an invocation ahead."""

    def __init__(self, remaining_seconds: float = 420) -> None:
        self._now = STARTED_AT
        self._ends_at = STARTED_AT + timedelta(seconds=remaining_seconds)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def remaining_seconds(self) -> float:
        return (self._ends_at - self._now).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
