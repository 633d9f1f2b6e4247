"""The logs of the pods, through the Kubernetes API."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import IO

from lightkube.resources.core_v1 import Pod

from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError
from cli.usage.records import Record, records
from cli.usage.report import Source
from lambda_fn.contract.objects import selector_labels
from lambda_fn.job.redact import excerpt

CONTAINER = "nginx"
_EARLIER = "it began with this container; earlier containers of this pod, and pods that are gone, are not counted"
_ROTATED = "its log has no earlier lines: the kubelet keeps about 10 MiB (containerLogMaxSize)"
_EMPTY = "its log is empty"


class PodLogs:
    """The logs of all pods of a front door, on disk while they are read. Close it afterwards.

    Args:
        kubernetes: The cluster.
        workload: The name of the Deployment.
        since: What was asked for, seconds since 1970.
    """

    def __init__(self, kubernetes: Kubernetes, workload: str, since: float) -> None:
        self._kubernetes, self._since = kubernetes, since
        self.sources: list[Source] = []
        with ExitStack() as stack:
            self._files = [self._fetch(stack, pod) for pod in kubernetes.pods(selector_labels(workload))]
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Remove what was stored."""
        self._stack.close()

    def records(self) -> list[Iterator[Record]]:
        """The records of each pod."""
        return [records(file) for file in self._files]

    def _fetch(self, stack: ExitStack, pod: Pod) -> IO[str]:
        # Only a line feed ends a line: what a client sends may hold other line breaks.
        file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))  # noqa: SIM115 - the stack closes it
        name = str(pod.metadata and pod.metadata.name)
        begins_at = None
        try:
            note = ""
            for line in self._kubernetes.whole_log(name, CONTAINER):
                # `timestamps` puts the kubelet's time before each line: also before those that are not records.
                at, _, text = line.partition(" ")
                if (written_at := _instant(at)) is None:
                    note = f"not read: {excerpt(line)}. Fix: try again, or read the log of the node's kubelet"
                    continue
                begins_at = begins_at or written_at
                file.write(f"{text}\n")
            note = note or self._note(pod, begins_at)
        except RequestRefusedError as error:
            note = f"not read: {error.message}. Fix: {error.hint}"
        self.sources.append(Source(name, begins_at, note))
        file.seek(0)
        return file

    def _note(self, pod: Pod, begins_at: float | None) -> str:
        if begins_at is None:
            return _EMPTY
        if begins_at <= self._since:
            return ""
        started = _started_at(pod)
        return _EARLIER if started and started > self._since else _ROTATED


def _instant(text: str) -> float | None:
    """Seconds since 1970; None for what is not a time, such as the error that a kubelet sends with status 200."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _started_at(pod: Pod) -> float | None:
    """When the container that runs has started."""
    for status in (pod.status.containerStatuses if pod.status else None) or []:
        running = status.state.running if status.state else None
        if status.name == CONTAINER and running and running.startedAt:
            return running.startedAt.timestamp()
    return None
