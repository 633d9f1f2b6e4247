"""When the token in the cluster dies, as far as this warm Lambda knows. Pure over its ports."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.ports import Clock, Cluster

LOOK_SECONDS = 30.0
"""What must be left of the invocation to ask: an answer that does not come may not cost the run its metrics."""


@dataclass(slots=True)
class KnownExpiry:
    """What the cluster said last, or the end of the token that was written last.

    Another instance of the Lambda may have written a newer one since: then the token lives longer than this says, and
    an alarm comes too early rather than not at all.

    Attributes:
        at: When the token dies; None where nothing is known, or no Secret says so.
    """

    at: datetime | None = None

    def look(self, cluster: Cluster, clock: Clock) -> None:
        """Ask the cluster after a failed run. Where it does not answer, what was known stays."""
        if clock.remaining_seconds() < LOOK_SECONDS:
            return
        with suppress(ClusterError):  # the run has failed already, and says why
            self.at = cluster.read_expiry()
