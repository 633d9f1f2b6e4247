"""The monitor of the watcher: ECR's events in its queue, and those that failed."""

from stacks.alarms import AT_LEAST, OK_WITHOUT_DATA, AlarmRule, has_messages
from stacks.dashboard import Graph
from stacks.metrics import QueueMetrics
from stacks.monitors.monitor import Monitor

LATE_SECONDS = 900
"""A batch that failed once comes again after three minutes, and an EKS API that is being updated comes back."""


def watcher_monitors(*, waiting: QueueMetrics, failed: QueueMetrics) -> list[Monitor]:
    """The monitors of the queue of events and of its dead-letter queue."""
    graph = Graph(
        title="ECR's events",
        lines=[
            waiting.metric("NumberOfMessagesSent", "Sum", label="pushes and deletions"),
            waiting.metric("ApproximateNumberOfMessagesNotVisible", "Maximum", label="in work or to be tried again"),
            failed.metric("ApproximateNumberOfMessagesVisible", "Maximum", label="in the watcher's DLQ"),
        ],
    )
    late = AlarmRule(
        name="EventsLate",
        description="Events of ECR have waited for 15 minutes: the watcher fails or is not started. Pulls work, but "
        "pods still serve images that were deleted meanwhile: look for the error in the watcher's log.",
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
    return [Monitor(graph, (late, lost))]
