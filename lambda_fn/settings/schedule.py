"""When the Lambda starts by itself. Pure: all arithmetic on periods and windows is here.

Another form, such as `cron`, is another class with the attributes of `Schedule`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class Schedule(Protocol):
    """What the stack, the alarms, the Lambda and the doctor need to know of a schedule."""

    @property
    def expression(self) -> str:
        """The schedule as EventBridge Scheduler writes it."""

    @property
    def description(self) -> str:
        """The schedule in words, as in "runs every 240 minutes"."""

    @property
    def longest_gap(self) -> timedelta:
        """The longest time between two planned runs."""

    @property
    def window(self) -> timedelta:
        """How late EventBridge may start a run."""

    def longest_until(self, runs: int) -> timedelta:
        """The longest time, from any moment, until so many further runs have started."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One run in each period.

    Attributes:
        period_minutes: Minutes between two planned runs.
        window_minutes: How many minutes late EventBridge may start a run.
    """

    period_minutes: int
    window_minutes: int = 0

    @property
    def expression(self) -> str:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based."""
        return f"rate({self.period_minutes} minutes)"

    @property
    def description(self) -> str:
        """The period in words."""
        return f"every {self.period_minutes} minutes"

    @property
    def longest_gap(self) -> timedelta:
        """The period."""
        return timedelta(minutes=self.period_minutes)

    @property
    def window(self) -> timedelta:
        """The window."""
        return timedelta(minutes=self.window_minutes)

    def longest_until(self, runs: int) -> timedelta:
        """A run may start at the end of its window, so the window counts once."""
        return runs * self.longest_gap + self.window
