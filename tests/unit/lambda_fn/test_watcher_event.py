from typing import Any

import pytest

from lambda_fn.contract.errors import EventError
from lambda_fn.job.watcher_event import Batch, Forget, Message, Remember, parse
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing
from tests.fakes.hints import QUEUE, event, image, messages

ROUTING = Routing([Registry(account="123456789012", region="ap-southeast-2", repositories=("team/*",))])
NAME = f"team/app@{image().digest}"


def test_a_batch_has_the_bodies_of_its_messages() -> None:
    found = parse(messages("one", "two"), ROUTING)
    assert found == Batch(QUEUE, (Message("message-0", "one"), Message("message-1", "two")))


def test_an_operator_names_images_as_clients_pull_them() -> None:
    assert parse({"forget": [NAME, NAME]}, ROUTING) == Forget((image(),))
    assert parse({"remember": [NAME]}, ROUTING) == Remember((image(),))


def test_an_image_of_a_renamed_repository_is_the_one_that_ecr_has() -> None:
    renamed = Registry(account="123456789012", region="ap-southeast-2", repositories=(), renames={"python": "team/app"})
    found = parse({"forget": [f"python@{image().digest}"]}, Routing([renamed]))
    assert found == Forget((image(),))
    with pytest.raises(
        EventError, match="no client can pull from team/app: the registries of the settings allow python"
    ):
        parse({"forget": [NAME]}, Routing([renamed]))


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "forget",
        {},
        {"dry_run": True},
        {"forget": NAME},
        {"forget": [NAME], "remember": [NAME]},
        {"Records": {}},
        event(),
    ],
    ids=str,
)
def test_another_event_is_an_error_that_says_what_is_allowed(wrong: object) -> None:
    with pytest.raises(EventError, match=r'Allowed are a batch of SQS, \{"catalogue": true\}, \{"forget": \[...\]}'):
        parse(wrong, ROUTING)


@pytest.mark.parametrize(
    "record", [None, {}, {"eventSource": "aws:sns", "messageId": "a", "body": "b"}, {"eventSource": "aws:sqs"}], ids=str
)
def test_a_record_that_is_not_a_message_of_sqs_is_an_error(record: Any) -> None:  # noqa: ANN401 - anything that JSON can be
    with pytest.raises(EventError, match="is not a message of SQS"):
        parse({"Records": [record]}, ROUTING)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "names 0 images: must be 1 to 200"),
        ([f"team/app@sha256:{number:064x}" for number in range(201)], "names 201 images"),
        (["team/app:1.4"], "'team/app:1.4' is not an image: must be repository@sha256"),
        (["team/app"], "'team/app' is not an image"),
        ([f"{NAME}\n"], "is not an image"),
        ([NAME.upper()], "is not an image"),
        ([7], "'7' is not an image"),
        ([NAME, f"other/app@{image().digest}"], r"no client can pull from other/app: the registries .* allow team/\*"),
    ],
    ids=str,
)
def test_an_image_that_cannot_be_meant_is_an_error(names: list[object], message: str) -> None:
    with pytest.raises(EventError, match=message):
        parse({"forget": names}, ROUTING)
