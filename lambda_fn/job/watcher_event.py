"""What the watcher is invoked with. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_fn.contract.errors import EventError
from lambda_fn.contract.hints import DIGEST, MOST_NAMED, REPOSITORY, Image
from lambda_fn.settings.registry import patterns_text
from lambda_fn.settings.routing import Routing

_ALLOWED = (
    'Allowed are a batch of SQS, {"catalogue": true}, {"forget": [...]} and {"remember": [...]}, the last two with a '
    "list of repository@sha256:<64 hexadecimal digits>"
)
_REFERENCE = re.compile(rf"(?P<repository>{REPOSITORY})@(?P<digest>{DIGEST})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the queue."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that SQS delivers together.

    Attributes:
        queue: The ARN of their queue: a batch is of one.
        messages: One or more.
    """

    queue: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """Images that an operator wants every pod to refuse from now on."""

    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Remember:
    """Images that pods may serve again."""

    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class ContinueRound:
    """The schedule's call to continue the round of the catalogue, or to start one where it is time."""


Request = Batch | Forget | Remember | ContinueRound


def parse(event: object, routing: Routing) -> Request:
    """The request in a Lambda event.

    Args:
        event: As Lambda gives it.
        routing: The routes of the settings.

    Raises:
        EventError: It is anything else, or names an image that clients cannot pull; says what is allowed.
    """
    if isinstance(event, Mapping) and len(event) == 1:
        match event:
            case {"Records": [first, *others]}:
                messages = tuple(map(_message, [first, *others]))
                return Batch(str(first.get("eventSourceARN")), messages)
            case {"catalogue": True}:
                return ContinueRound()
            case {"forget": [*names]}:
                return Forget(_images(names, routing))
            case {"remember": [*names]}:
                return Remember(_images(names, routing))
    shown = sorted(map(str, event)) if isinstance(event, Mapping) else type(event).__name__
    raise EventError(f"the event with {str(shown)[:200]} is not one of the watcher's. {_ALLOWED}")


def _message(record: Any) -> Message:  # noqa: ANN401 - anything that JSON can be
    match record:
        case {"eventSource": "aws:sqs", "messageId": str(id_), "body": str(body)}:
            return Message(id_, body)
        case _:
            raise EventError(f"a record of the event is not a message of SQS: {str(record)[:200]!r}. {_ALLOWED}")


def _images(names: Sequence[object], routing: Routing) -> tuple[Image, ...]:
    if not 0 < len(names) <= MOST_NAMED:
        raise EventError(f"the event names {len(names)} images: must be 1 to {MOST_NAMED}. {_ALLOWED}")
    return tuple(dict.fromkeys(image_named(name, routing) for name in names))


def image_named(name: object, routing: Routing) -> Image:
    """The image that an operator means, as ECR has it.

    Args:
        name: Repository and digest, as clients pull it without the domain.
        routing: The routes of the settings.

    Raises:
        EventError: It is not such a name, or no client can pull from that repository.
    """
    found = _REFERENCE.fullmatch(name) if isinstance(name, str) else None
    if not found:
        raise EventError(f"{str(name)[:400]!r} is not an image: must be repository@sha256:<64 hexadecimal digits>")
    served = routing.find(found["repository"])
    if served is None:
        raise EventError(
            f"no client can pull from {found['repository']}: the registries of the settings allow "
            f"{patterns_text(routing.registries)}. Fix: name the repository as clients pull it"
        )
    return Image(served.registry.host, served.ecr_name, found["digest"])
