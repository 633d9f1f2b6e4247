"""When the first token in the cluster expires, as far as this warm Lambda knows. Pure over its ports."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.ports import Clock, Cluster

ASK_SECONDS = 30.0
"""How much of the invocation must be left to ask: a request without an answer must not cost the run its metrics."""


@dataclass(slots=True)
class KnownExpiry:
    """The answer of the cluster to the last question, or the expiry of the token that was written last.

    Another instance of the Lambda may have written a newer token since: then that one expires later, and an alarm
    comes too early rather than not at all.

    Attributes:
        at: When the token expires; None where that is unknown, or no Secret has an expiry.
    """

    at: datetime | None = None

    def ask(self, cluster: Cluster, clock: Clock) -> None:
        """Ask the cluster after a failed run. Without an answer the known expiry stays."""
        if clock.remaining_seconds() < ASK_SECONDS:
            return
        with suppress(ClusterError):  # the run has failed already, and reports why
            self.at = cluster.read_expiry()
