"""The watcher's entry point, where the page has a catalogue: over fakes of ECR and of the catalogue's files."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambda_fn import watcher
from lambda_fn.contract.errors import ClusterError, SettingsError
from lambda_fn.contract.hints import Image
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.job.catalogue.ports import DeniedError
from lambda_fn.job.catalogue.round import Run
from lambda_fn.settings import Page, Settings
from lambda_fn.settings.routing import Routing
from tests.contract.cluster import settings as contract_settings
from tests.fakes.context import FakeContext
from tests.fakes.ecr_catalogue import FakeEcr, FakeFiles
from tests.fakes.hints import HOST, QUEUE, FakeImages, FakeStore, event, image, messages


class World:
    """ECR, the hints and the catalogue in the cluster, and what the watcher logs."""

    def __init__(self) -> None:
        self.settings: Settings = contract_settings().model_copy(update={"page": Page(catalogue=True)})
        self.ecr = FakeEcr()
        self.files = FakeFiles()
        self.hints = FakeStore()
        self.images = FakeImages()
        self.failure: Exception | None = None
        self.stream = io.StringIO()

    @contextmanager
    def store(self, *_: object) -> Iterator[FakeStore]:
        yield self.hints

    @contextmanager
    def catalogue(self, *_: object) -> Iterator[Run]:
        if self.failure:
            raise self.failure
        clock = LambdaClock(FakeContext())
        yield Run(Routing(self.settings.registries), self.ecr, self.files, clock, findings=self.settings.page.findings)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(watcher, "_edges", lambda _: (found.settings, found.images, None))
    monkeypatch.setattr(watcher, "_store", found.store)
    monkeypatch.setattr(watcher, "_catalogue", found.catalogue)
    monkeypatch.setattr(watcher.logger.registered_handler, "stream", found.stream)
    return found


def run(sent: object) -> dict[str, Any]:
    return watcher.handler(sent, FakeContext())


def names(world: World) -> list[str]:
    return [each["name"] for each in world.files.document()["repositories"]]


def test_the_schedule_continues_the_round_and_reports_its_age(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ecr.image("team/app", "1")
    capsys.readouterr()
    report = run({"catalogue": True})
    assert (report["repositories"], report["left"], names(world)) == (1, 0, ["team/app"])
    emitted = json.loads(capsys.readouterr().out)
    assert emitted["CatalogueSecondsSinceRound"][0] < 60
    assert {"Domain", "Cluster", "Namespace", "service"} <= emitted.keys()


def test_a_run_that_fails_counts_as_an_old_catalogue(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.failure = ClusterError("Kubernetes forbids the Lambda to patch configmaps")
    capsys.readouterr()
    with pytest.raises(ClusterError, match="forbids"):
        run({"catalogue": True})
    emitted = json.loads(capsys.readouterr().out)
    assert emitted["CatalogueSecondsSinceRound"] == [6 * 3600]


def test_a_push_has_the_repository_read_even_where_deletions_are_not_followed(world: World) -> None:
    update = {"watcher": world.settings.watcher.model_copy(update={"deletions": False})}
    world.settings = world.settings.model_copy(update=update)
    world.ecr.image("team/app", "1")
    assert run(messages(event(action_type="PUSH"), event(action_type="PUSH"))) == {"batchItemFailures": []}
    assert names(world) == ["team/app"]
    assert world.ecr.asked["images"] == 1


def test_a_deletion_becomes_a_hint_even_where_the_catalogue_cannot_be_written(world: World) -> None:
    world.failure = ClusterError("Kubernetes forbids the Lambda to patch configmaps")
    assert run(messages(event())) == {"batchItemFailures": []}
    assert set(world.hints.hints.gone) == {image()}
    assert [line["message"] for line in world.log() if line["level"] == "ERROR"] == [str(world.failure)]


def test_a_deletion_of_the_urgent_queue_waits_for_no_catalogue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    urgent = QUEUE.replace("events", "deletions")
    monkeypatch.setenv("DELETIONS_QUEUE_ARN", urgent)
    world.ecr.image("team/app", "1")
    assert run(messages(event(), queue=urgent)) == {"batchItemFailures": []}
    assert (set(world.hints.hints.gone), world.ecr.asked) == ({image()}, {})
    run(messages(event()))
    assert names(world) == ["team/app"]


@contextmanager
def no_session(*_: object) -> Iterator[None]:
    yield None


@pytest.fixture
def whole(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """With the watcher's own way to the hints and the catalogue, over fakes of their edges."""
    monkeypatch.undo()
    monkeypatch.setattr(watcher, "_edges", lambda _: (world.settings, world.images, None))
    monkeypatch.setattr(watcher, "_session", no_session)
    for name, made in {"HintStore": world.hints, "CatalogueStore": world.files, "EcrCatalogue": world.ecr}.items():
        monkeypatch.setattr(watcher, name, lambda *_, made=made, **__: made)
    return world


def test_the_hints_are_those_of_the_watchers_own_queue(whole: World, monkeypatch: pytest.MonkeyPatch) -> None:
    urgent = QUEUE.replace("events", "deletions")
    monkeypatch.setenv("DELETIONS_QUEUE_ARN", urgent)
    queues: list[object] = []

    def hint_store(*_: object, queue: str) -> FakeStore:
        queues.append(queue)
        return whole.hints

    monkeypatch.setattr(watcher, "HintStore", hint_store)
    run(messages(event(), queue=urgent))
    run({"catalogue": True})
    assert queues == [urgent, urgent]


@pytest.mark.parametrize(
    "changes",
    [
        {"action_type": "PUSH"},
        {"detail_type": "ECR Replication Action"},
        {"detail_type": "ECR Pull Through Cache Action"},
    ],
    ids=str,
)
def test_what_brings_an_image_back_has_it_served_and_its_repository_read(whole: World, changes: dict[str, str]) -> None:
    run(messages(event()))
    assert set(whole.hints.hints.gone) == {image()}
    whole.images.there.add(image())
    whole.ecr.image("team/app", "1")
    assert run(messages(event(**changes))) == {"batchItemFailures": []}
    assert (whole.hints.hints.gone, names(whole)) == ({}, ["team/app"])


def test_an_image_that_ecr_lists_is_served_again_although_no_event_came(whole: World) -> None:
    digest = whole.ecr.image("team/app", "1")
    back, gone = Image(HOST, "team/app", digest), image(1)
    run(messages(event(image_digest=digest), event(image_digest=gone.digest)))
    assert set(whole.hints.hints.gone) == {back, gone}
    whole.images.there.add(back)
    run({"catalogue": True})
    assert set(whole.hints.hints.gone) == {gone}


@pytest.mark.parametrize("deletions", [True, False])
def test_the_images_of_a_repository_that_is_gone_are_refused_although_no_event_came(
    whole: World, *, deletions: bool
) -> None:
    world = whole
    update = {"watcher": world.settings.watcher.model_copy(update={"deletions": deletions})}
    world.settings = world.settings.model_copy(update=update)
    digest = world.ecr.image("team/app", "1")
    run({"catalogue": True})
    world.ecr.delete("team/app")
    run(messages(event(action_type="PUSH")))
    assert names(world) == []
    assert {each.digest for each in world.hints.hints.gone} == ({digest} if deletions else set())


def test_problems_are_warnings_in_the_log(world: World) -> None:
    world.ecr.image("team/app", "1")
    world.ecr.errors["team/app"] = DeniedError("ECR denies DescribeImages")
    run({"catalogue": True})
    warnings = [line["message"] for line in world.log() if line["level"] == "WARNING"]
    assert warnings == ["ECR denies DescribeImages (team/app)"]


def test_without_the_setting_nothing_is_read_and_a_call_says_how_to_turn_it_on(world: World) -> None:
    world.settings = world.settings.model_copy(update={"page": Page()})
    run(messages(event(action_type="PUSH")))
    with pytest.raises(SettingsError, match=r"set page\.catalogue = true, and deploy"):
        run({"catalogue": True})
    assert world.ecr.asked == {}
    assert world.files.contents == {}
