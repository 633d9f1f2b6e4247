"""The watcher's entry point over fakes of ECR and of the hints."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambda_fn import watcher
from lambda_fn.contract.errors import ClusterError, EventError, SettingsError
from lambda_fn.contract.hints import Hints
from lambda_fn.settings import Settings, Watcher
from tests.contract.cluster import settings as contract_settings
from tests.fakes.context import FakeContext
from tests.fakes.hints import FakeImages, FakeStore, event, image, messages

AT = 1795510770
NAME = f"team/app@{image().digest}"


class World:
    """ECR, the hints in the cluster, and what the watcher logs."""

    def __init__(self) -> None:
        self.settings: Settings = contract_settings()
        self.images = FakeImages()
        self.store = FakeStore()
        self.connected = 0
        self.failure: Exception | None = None
        self.stream = io.StringIO()

    @contextmanager
    def connect(self, *_: object) -> Iterator[FakeStore]:
        self.connected += 1
        if self.failure:
            raise self.failure
        yield self.store

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def errors(self) -> list[dict[str, Any]]:
        return [line for line in self.log() if line["level"] == "ERROR"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(watcher, "_edges", lambda _: (found.settings, found.images, None))
    monkeypatch.setattr(watcher, "_store", found.connect)
    monkeypatch.setattr(watcher.logger.registered_handler, "stream", found.stream)
    return found


def run(sent: object) -> dict[str, Any]:
    return watcher.handler(sent, FakeContext())


def test_a_deletion_becomes_a_hint_and_the_log_names_the_image(world: World) -> None:
    assert run(messages(event())) == {"batchItemFailures": []}
    assert set(world.store.hints.gone) == {image()}
    (line,) = world.log()
    assert line["report"] == {"refused": [str(image())], "served": [], "events": 1}


def test_only_the_messages_that_failed_are_delivered_again(world: World) -> None:
    world.images.refused = {"team/base"}
    sent = messages(event(), "not JSON", event(repository_name="team/base"), event(repository_name="other/app"))
    assert run(sent) == {
        "batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}],
    }
    assert set(world.store.hints.gone) == {image()}
    assert [line["message"] for line in world.errors()] == [
        "a message in the queue of ECR's events is not a JSON object: 'not JSON'",
        "ECR does not say whether team/base has an image",
    ]


def test_events_of_no_interest_need_no_connection_to_the_cluster(world: World) -> None:
    assert run(messages(event(repository_name="other/app"), event(result="FAILURE"))) == {"batchItemFailures": []}
    assert world.connected == 0


def test_without_deletions_no_image_is_refused(world: World) -> None:
    world.settings = world.settings.model_copy(update={"watcher": Watcher(deletions=False)})
    assert run(messages(event())) == {"batchItemFailures": []}
    assert (world.connected, world.images.asked) == (0, [])


def test_a_cluster_that_fails_fails_the_invocation_so_that_the_whole_batch_comes_again(world: World) -> None:
    world.failure = ClusterError("Kubernetes answers 503")
    with pytest.raises(ClusterError):
        run(messages(event()))
    (line,) = world.errors()
    assert (line["error"], line["message"]) == ("ClusterError", "Kubernetes answers 503")
    assert "exception" not in line


def test_a_defect_is_logged_with_its_stack(world: World) -> None:
    world.failure = KeyError("defect")
    with pytest.raises(KeyError):
        run(messages(event()))
    assert "this is a defect of ecr-frontdoor" in world.errors()[0]["message"]


def test_an_operator_learns_which_of_the_forgotten_images_ecr_still_has(world: World) -> None:
    world.images.there = {image()}
    other = image(9)
    world.images.refused = {"team/base"}
    unknown = image(1, "team/base")
    names = [NAME, f"team/app@{other.digest}", f"team/base@{unknown.digest}"]
    assert run({"forget": names}) == {
        "forgotten": [str(image()), str(other), str(unknown)],
        "in_ecr": [str(image()), str(unknown)],
    }
    assert set(world.store.hints.named) == {image(), other, unknown}


def test_an_ecr_that_does_not_answer_in_time_holds_up_no_answer_to_the_operator(world: World) -> None:
    short = FakeContext(remaining_seconds=29)
    assert watcher.handler({"forget": [NAME]}, short)["in_ecr"] == [str(image())]
    assert world.images.asked == []
    assert set(world.store.hints.named) == {image()}


def test_an_operator_who_erred_lifts_a_refusal(world: World) -> None:
    world.store = FakeStore(Hints({}, {image(): AT}))
    assert run({"remember": [NAME]}) == {"remembered": [str(image())]}
    assert world.store.hints.gone == {}


def test_a_mistyped_event_fails_the_invocation_and_changes_nothing(world: World) -> None:
    with pytest.raises(EventError, match="is not one of the watcher's"):
        run({"forgot": [NAME]})
    assert world.connected == 0
    assert len(world.errors()) == 1


def test_a_bundle_without_settings_is_one_line_in_the_log(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,  # noqa: ANN401 - pytest's path
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setattr(watcher.logger.registered_handler, "stream", world.stream)
    with pytest.raises(SettingsError, match="deploy the stack again"):
        run(messages(event()))
    assert world.errors()[0]["error"] == "SettingsError"
