"""What is examined, as whom, and how patiently."""

from dataclasses import dataclass
from datetime import UTC, datetime

import boto3
from botocore.config import Config

from lambda_fn.settings import Settings

USUAL_CONFIG = "frontdoor.toml"
"""The settings file where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One deployed front door and the operator who looks at it.

    Attributes:
        settings: What it was deployed with.
        aws: The operator's credentials.
        config: The settings file, for the commands that mend.
        image: `REPOSITORY:TAG` (or `@sha256:...`) to pull as a test; None to pull nothing.
        answer_seconds: How long any one answer is waited for: somebody sits in front of a terminal.
    """

    settings: Settings
    aws: boto3.Session
    config: str = USUAL_CONFIG
    image: str | None = None
    answer_seconds: float = 10.0

    @property
    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    @property
    def connect_seconds(self) -> float:
        """How long a connection may take."""
        return min(5.0, self.answer_seconds)

    @property
    def briefly(self) -> Config:
        """For every AWS client."""
        return Config(
            connect_timeout=self.connect_seconds,
            read_timeout=self.answer_seconds,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
