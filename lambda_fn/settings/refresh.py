"""When the Lambda runs and how long it waits, as an operator sets it. Pure."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.config import JsonDict

from lambda_fn.settings.schedule import Rate, Schedule
from lambda_fn.settings.table import Table

TOKEN_USABLE = timedelta(hours=11)
"""How long the schedule relies on a token. ECR promises 12 h, but tokens have expired after 11 h 37 min."""

_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
_RETENTION: JsonDict = {"enum": [*_RETENTION_DAYS]}


def _known_to_cloudwatch(days: int) -> int:
    """Not `Literal`, which takes `true` and `1.0` for 1."""
    if days not in _RETENTION_DAYS:
        raise ValueError(f"must be one of {', '.join(map(str, _RETENTION_DAYS))}")
    return days


class Refresh(Table):
    """When the Lambda runs and how long it waits."""

    period_minutes: int = Field(default=240, ge=15)
    """Minutes between two scheduled runs. Two periods and the window must fit into the 11 hours for which a token is
    usable, so that one run may fail.
    """
    flexible_window_minutes: int = Field(default=15, ge=0, le=120)
    """How many minutes late EventBridge may start a run, to spread the load. 0 turns that off."""
    rollout_timeout_seconds: int = Field(default=300, ge=30, le=780)
    """How long a run waits for new pods before it reports the rollout as stuck, in seconds. The timeout of the Lambda
    is two minutes longer, at most 855 seconds.
    """
    log_retention_days: Annotated[int, AfterValidator(_known_to_cloudwatch), Field(json_schema_extra=_RETENTION)] = 90
    """The retention of the logs of the Lambda and of the deployment's own functions, in days: a value that CloudWatch
    accepts.
    """

    @property
    def schedule(self) -> Schedule:
        """When the refresh runs."""
        return Rate(self.period_minutes, self.flexible_window_minutes)

    @model_validator(mode="after")
    def _leaves_spare_refreshes(self) -> Self:
        if self.schedule.longest_until(2) > TOKEN_USABLE:
            raise ValueError(
                f"period_minutes = {self.period_minutes} with flexible_window_minutes = {self.flexible_window_minutes} "
                "must leave time for two refreshes while a token is usable: 2 x period_minutes + "
                f"flexible_window_minutes must be at most {TOKEN_USABLE // timedelta(minutes=1)}"
            )
        return self
