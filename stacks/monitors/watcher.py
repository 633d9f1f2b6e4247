"""The monitors of the watcher: ECR's events in its queues, and those that failed."""

from stacks.alarms import AT_LEAST, OK_WITHOUT_DATA, AlarmRule, has_messages
from stacks.dashboard import Graph
from stacks.metrics import QueueMetrics
from stacks.monitors.monitor import Monitor

LATE_SECONDS = 900
"""A batch that failed once comes again after three minutes, and an EKS API that is being updated comes back."""
DELETIONS_LATE_SECONDS = 300
"""A batch that failed once comes again after two minutes."""


def watcher_monitors(*, waiting: QueueMetrics, deletions: QueueMetrics | None, failed: QueueMetrics) -> list[Monitor]:
    """The monitors of the queues of events and of their dead-letter queue.

    Args:
        waiting: The queue of pushes.
        deletions: That of deletions; None where no image is refused.
        failed: The dead-letter queue of both.
    """
    graph = Graph(
        title="ECR's events",
        lines=[
            waiting.metric("NumberOfMessagesSent", "Sum", label="events"),
            waiting.metric("ApproximateNumberOfMessagesNotVisible", "Maximum", label="in work or to be tried again"),
            failed.metric("ApproximateNumberOfMessagesVisible", "Maximum", label="in the watcher's DLQ"),
        ],
    )
    late = AlarmRule(
        name="EventsLate",
        description="Events of ECR have waited for 15 minutes: the watcher fails or is not started. Pulls work, but "
        "the page shows old tags, and an image that was deleted and pushed again is refused: look for the error in the "
        "watcher's log.",
        metric=waiting.metric("ApproximateAgeOfOldestMessage", "Maximum"),
        comparison=AT_LEAST,
        threshold=LATE_SECONDS,
        without_data=OK_WITHOUT_DATA,
    )
    lost = has_messages(
        "EventFailed",
        "An event of ECR failed for an hour and is in the watcher's dead-letter queue. Pulls work, but "
        "pods may serve an image that was deleted: fix the error in the watcher's log, then redrive the queue.",
        failed.metric("ApproximateNumberOfMessagesVisible", "Maximum"),
    )
    return [*([_deletions(deletions)] if deletions else []), Monitor(graph, (late, lost))]


def _deletions(waiting: QueueMetrics) -> Monitor:
    graph = Graph(
        title="Deletions in ECR",
        lines=[
            waiting.metric("NumberOfMessagesSent", "Sum", label="deletions"),
            waiting.metric("ApproximateAgeOfOldestMessage", "Maximum", label="seconds that the oldest one waits"),
        ],
    )
    late = AlarmRule(
        name="DeletionsLate",
        description="Deletions in ECR have waited for five minutes: the watcher fails or is not started. Pulls work, "
        "but pods still serve the deleted images: look for the error in the watcher's log.",
        metric=waiting.metric("ApproximateAgeOfOldestMessage", "Maximum"),
        comparison=AT_LEAST,
        threshold=DELETIONS_LATE_SECONDS,
        without_data=OK_WITHOUT_DATA,
    )
    return Monitor(graph, (late,))
