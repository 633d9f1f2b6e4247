"""Deletions amid a burst of pushes while ECR is slow: the rules and queues of the template, and the watcher's own code.

Time is simulated. What Lambda does with a queue is as its documentation says: it collects messages until the batch is
full or the window ends, and at most so many runs are under way at once.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.events.models import EventPattern

from lambda_fn import watcher
from lambda_fn.contract.hints import Hints, Image
from lambda_fn.contract.runtime import DELETIONS_QUEUE
from lambda_fn.job.catalogue.round import Run
from lambda_fn.settings.routing import Routing
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.context import FakeContext
from tests.fakes.ecr_catalogue import FakeEcr, FakeFiles
from tests.fakes.hints import FakeImages, FakeStore, event, image, messages
from tests.template import configurations
from tests.template.synthesis import only, resources

NAME = "guarded"
"""With deletions and the catalogue."""
KUBELET_SECONDS = 90
"""The longest that a changed ConfigMap takes to reach a pod by the kubelet's defaults."""
BOUND_SECONDS = 120 - KUBELET_SECONDS
START_SECONDS = 4
"""Of a run before it asks ECR: a cold start, the address of the API and its first answer."""
ECR_SECONDS = 2
"""Of each request to ECR, whose usual answer takes 30 ms."""


class SimulatedClock(FakeClock):
    """The time of the run under way."""

    def begin(self, at: datetime, allowed_seconds: float) -> None:
        self._now, self._ends_at = at, at + timedelta(seconds=allowed_seconds)


@dataclass
class Mapping:
    """An event source mapping, with the messages that wait for it.

    Attributes:
        queue: Its logical id.
        visibility: Until a message that failed comes again.
        batch: The messages of a run.
        window: How long Lambda collects them.
        free_at: When each of the runs that may be under way at once is over.
        waiting: When each message came, and what it is, the oldest first.
    """

    queue: str
    visibility: timedelta
    batch: int
    window: timedelta
    free_at: list[datetime]
    waiting: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    def starts_at(self) -> datetime | None:
        """When the next run starts; None without a message."""
        if not self.waiting:
            return None
        closes_at = self.waiting[0][0] + self.window
        if len(self.waiting) >= self.batch:
            closes_at = min(closes_at, self.waiting[self.batch - 1][0])
        return max(min(self.free_at), closes_at)


class Store(FakeStore):
    """The hints, with the time at which each image became one."""

    def __init__(self) -> None:
        super().__init__()
        self.refused_at: dict[Image, datetime] = {}

    def write(self, new: Hints, *, version: str | None, now: datetime) -> bool:
        written = super().write(new, version=version, now=now)
        for each in new.gone if written else ():
            self.refused_at.setdefault(each, now)
        return written


class Installation:
    """The deployed stack beside a slow ECR."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SimulatedClock()
        self.store = Store()
        self.ecr = FakeEcr(self.clock)
        self.ecr.seconds = ECR_SECONDS
        images = FakeImages()
        images.meanwhile = lambda: self.clock.sleep(ECR_SECONDS)
        settings = configurations.settings(NAME)
        files = FakeFiles()
        self.mappings = mappings()
        function = only(NAME, "AWS::Lambda::Function", "Watcher")
        self._timeout = function["Timeout"]
        monkeypatch.setattr(watcher, "LambdaClock", lambda _: self.clock)
        monkeypatch.setattr(watcher, "_edges", lambda _: (settings, images, None))

        @contextmanager
        def store(*_: object) -> Iterator[Store]:
            yield self.store

        @contextmanager
        def catalogue(*_: object) -> Iterator[Run]:
            yield Run(Routing(settings.registries), self.ecr, files, self.clock, findings=False)

        monkeypatch.setattr(watcher, "_store", store)
        monkeypatch.setattr(watcher, "_catalogue", catalogue)
        monkeypatch.setenv(DELETIONS_QUEUE, arn(function["Environment"]["Variables"][DELETIONS_QUEUE]["Fn::GetAtt"][0]))

    def run(self) -> None:
        """Until no message waits."""
        while starts := [(at, each) for each in self.mappings if (at := each.starts_at())]:
            at, mapping = min(starts, key=lambda start: start[0])
            taken = [each for each in mapping.waiting[: mapping.batch] if each[0] <= at]
            del mapping.waiting[: len(taken)]
            self.clock.begin(at, self._timeout)
            self.clock.sleep(START_SECONDS)
            sent = messages(*(body for _, body in taken), queue=arn(mapping.queue))
            failed = watcher.handler(sent, FakeContext())["batchItemFailures"]
            mapping.free_at[mapping.free_at.index(min(mapping.free_at))] = self.clock.now()
            again = {each["itemIdentifier"] for each in failed}
            mapping.waiting += [
                (at + mapping.visibility, body)
                for number, (_, body) in enumerate(taken)
                if f"message-{number}" in again
            ]
            mapping.waiting.sort(key=lambda message: message[0])


def arn(queue: str) -> str:
    return f"arn:aws:sqs:ap-southeast-2:123456789012:{queue}"


def mappings() -> list[Mapping]:
    """Those of the template."""
    return [
        Mapping(
            queue=(queue := source["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]),
            visibility=timedelta(seconds=resources(NAME, "AWS::SQS::Queue")[queue]["Properties"]["VisibilityTimeout"]),
            batch=source["Properties"]["BatchSize"],
            window=timedelta(seconds=source["Properties"]["MaximumBatchingWindowInSeconds"]),
            free_at=[STARTED_AT] * source["Properties"]["ScalingConfig"]["MaximumConcurrency"],
        )
        for source in resources(NAME, "AWS::Lambda::EventSourceMapping").values()
    ]


def queues_of(sent: Any) -> list[str]:  # noqa: ANN401 - moto names no type for it
    """The queues into which the template's rules put an event."""
    rules = [rule["Properties"] for rule in resources(NAME, "AWS::Events::Rule").values()]
    return [
        rule["Targets"][0]["Arn"]["Fn::GetAtt"][0]
        for rule in rules
        if "EventPattern" in rule and EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(sent)
    ]


def send(installation: Installation, queues: Callable[[Any], Sequence[str]]) -> dict[Image, datetime]:
    """A burst: a thousand pushes to 250 repositories in a minute, and a deletion every five seconds for three minutes.

    Args:
        installation: Takes the messages.
        queues: Which queues take an event.

    Returns:
        When each image was deleted.
    """
    deleted_at = {}
    sent = []
    for number in range(1000):
        repository = f"team/service-{number % 250}"
        installation.ecr.image(repository, str(number))
        pushed = event(action_type="PUSH", repository_name=repository, image_digest=image(number).digest)
        sent.append((STARTED_AT + timedelta(seconds=number * 0.06), pushed))
    for number in range(36):
        at, gone = STARTED_AT + timedelta(seconds=number * 5), image(10_000 + number)
        deleted_at[gone] = at
        sent.append((at, event(image_digest=gone.digest, time=f"{at:%FT%TZ}")))
    for at, each in sorted(sent, key=lambda one: one[0]):
        for mapping in installation.mappings:
            if mapping.queue in queues(each):
                mapping.waiting.append((at, each))
    return deleted_at


def longest(installation: Installation, deleted_at: dict[Image, datetime]) -> float:
    """The longest time from a deletion to its hint, in seconds."""
    installation.run()
    assert installation.store.refused_at.keys() == deleted_at.keys()
    return max((installation.store.refused_at[each] - at).total_seconds() for each, at in deleted_at.items())


def test_a_deletion_amid_a_thousand_pushes_is_a_hint_in_time_although_ecr_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installation = Installation(monkeypatch)
    assert longest(installation, send(installation, queues_of)) <= BOUND_SECONDS


def test_in_one_queue_with_the_pushes_the_same_deletions_would_be_minutes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(monkeypatch)
    (shared,) = queues_of(event(action_type="PUSH"))
    assert longest(installation, send(installation, lambda _: [shared])) > 120
