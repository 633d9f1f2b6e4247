"""An event of ECR about an image, as EventBridge writes it. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html : sent on a best effort basis. It may come
twice, late, or after an event that it preceded.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambda_fn.contract.ecr_events import DETAIL_TYPES, SOURCE, Action, success
from lambda_fn.contract.errors import EventError
from lambda_fn.contract.hints import DIGEST, REPOSITORY, Image
from lambda_fn.contract.times import parse_instant
from lambda_fn.settings.routing import Routing


@dataclass(frozen=True, slots=True)
class ImageEvent:
    """What has succeeded with an image in a repository that clients may pull.

    Attributes:
        action: After a DELETE the image may still exist: ECR sends one for each tag that is removed, too. An IMPORT is
            about what has the tag: with an index, ECR has imported its platforms' manifests, too.
        image: Its manifest.
        names: Under which clients pull from its repository.
        at: When it happened.
    """

    action: Action
    image: Image
    names: tuple[str, ...]
    at: datetime


def parse(body: str, routing: Routing) -> ImageEvent | None:
    """The event in a message of the queue.

    Args:
        body: EventBridge's event as JSON.
        routing: The routes of the settings.

    Returns:
        None for an event of no interest: another kind, or a repository that no client gets from that registry.

    Raises:
        EventError: The message is no such event, or lacks something.
    """
    event = _object(body)
    actions = [action for action, detail_type in DETAIL_TYPES.items() if detail_type == event.get("detail-type")]
    if event.get("source") != SOURCE or not actions:
        return None
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise EventError("an event of ECR has no detail. Fix: let a rule forward whole events, without a transformer")
    action = next((each for each in actions if success(each).items() <= detail.items()), None)
    if action is None:
        return None
    repository = _field(detail, "repository-name", REPOSITORY)
    digest = _field(detail, "image-digest", DIGEST)
    account, region = _field(event, "account", r"\d{12}"), _field(event, "region", r"[a-z0-9-]{1,32}")
    try:
        at = parse_instant(str(event.get("time")))
    except ValueError:
        raise EventError(f"an event of ECR has the time {_shown(event.get('time'))}, which is not an instant") from None
    shown = routing.shown(account, region, repository)
    if not shown:
        return None
    image = Image(shown[0].registry.host, repository, digest)
    return ImageEvent(action, image, tuple(each.public_name for each in shown), at)


def _object(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, Mapping):
        raise EventError(f"a message in the queue of ECR's events is not a JSON object: {_shown(body)}")
    return event


def _field(of: Mapping[str, Any], name: str, expression: str) -> str:
    value = of.get(name)
    if not isinstance(value, str) or not re.fullmatch(expression, value, re.ASCII):
        raise EventError(f"an event of ECR has {name} = {_shown(value)}, which is not what ECR writes")
    return value


def _shown(value: object) -> str:
    return repr(value)[:200]
