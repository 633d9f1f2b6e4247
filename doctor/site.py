"""What is examined, and as whom."""

from dataclasses import dataclass
from datetime import UTC, datetime

import boto3
from botocore.config import Config

from lambda_fn.settings import Settings

ASKED_BRIEFLY = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
"""For every AWS client here: somebody is waiting in front of a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One deployed front door and the operator who looks at it.

    Attributes:
        settings: What it was deployed with.
        aws: The operator's credentials.
        image: `REPOSITORY:TAG` (or `@sha256:...`) to pull as a test; None to pull nothing.
    """

    settings: Settings
    aws: boto3.Session
    image: str | None = None

    @property
    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)
