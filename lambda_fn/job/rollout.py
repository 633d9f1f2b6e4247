"""Waiting for the Deployment, bounded. Pure over its ports."""

from datetime import timedelta

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.ports import DIAGNOSIS_SECONDS, Clock, Cluster, Workload

POLL_SECONDS = 2.0


def wait(cluster: Cluster, clock: Clock, timeout_seconds: float, spare_seconds: float = DIAGNOSIS_SECONDS) -> Workload:
    """The workload once its rollout is complete, or as it is when the time is over.

    Args:
        cluster: Where it is.
        clock: Time, and the invocation's end.
        timeout_seconds: How long to wait at most.
        spare_seconds: What must be left of the invocation afterwards, whatever `timeout_seconds` says.

    Raises:
        ClusterError: The Deployment is gone, or the API refuses.
    """
    allowed_seconds = min(timeout_seconds, clock.remaining_seconds() - spare_seconds)
    ends_at = clock.now() + timedelta(seconds=allowed_seconds)
    while True:
        workload = cluster.read_workload()
        if workload is None:
            raise ClusterError(
                "the Deployment was deleted while the run waited for its rollout. Fix: apply the charts again"
            )
        left_seconds = (ends_at - clock.now()).total_seconds()
        if workload.complete or left_seconds <= 0:
            return workload
        clock.sleep(min(POLL_SECONDS, left_seconds))
