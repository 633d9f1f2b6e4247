"""How fast ECR is asked: a token bucket for each operation. Pure over the clock."""

from dataclasses import dataclass, field
from datetime import datetime

from lambda_fn.job.ports import Clock

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html : an account and region has 2,000
# BatchGetImage and 3,000 GetDownloadUrlForLayer a second, which the nodes need. The quotas of the other two are not
# published.
PER_SECOND = {
    "DescribeRepositories": 10.0,
    "DescribeImages": 20.0,
    "BatchGetImage": 20.0,
    "GetDownloadUrlForLayer": 100.0,
}


@dataclass
class Pace:
    """The buckets of one region; each holds the requests of one second.

    Args:
        clock: The time.
    """

    clock: Clock
    _tokens: dict[str, float] = field(default_factory=dict)
    _filled_at: dict[str, datetime] = field(default_factory=dict)

    def wait(self, operation: str) -> None:
        """Take a token, and wait for one where there is none."""
        rate, now = PER_SECOND[operation], self.clock.now()
        since = (now - self._filled_at.get(operation, now)).total_seconds()
        tokens = min(rate, self._tokens.get(operation, rate) + max(0.0, since) * rate) - 1
        if tokens < 0:
            self.clock.sleep(-tokens / rate)
        self._tokens[operation], self._filled_at[operation] = tokens, now
