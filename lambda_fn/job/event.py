"""The options of an invocation. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lambda_fn.contract.errors import EventError

# What EventBridge sends when a target has no input of its own: rules from aws.events, schedules from aws.scheduler.
# https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
_SCHEDULERS = frozenset({"aws.events", "aws.scheduler"})
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One run.

    Attributes:
        dry_run: Do everything but writing, and report what would change.
        force_rollout: Roll the Deployment even though nothing changed.
        purge_cache: Roll it so that every pod starts with an empty cache, and record when.
        canary: Do nothing but the canary's pull.
    """

    dry_run: bool = False
    force_rollout: bool = False
    purge_cache: bool = False
    canary: bool = False


OPTIONS = tuple(field.name for field in fields(Request))


def parse(event: object) -> Request:
    """The request in a Lambda event: EventBridge's scheduled event, `{}`, or an object of options.

    Raises:
        EventError: It is anything else; lists what is allowed.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"the event {_shown(event)} is not an object. {_ALLOWED}")
    if _is_scheduled(event):
        return Request()
    if unknown := [str(key) for key in event if key not in OPTIONS]:
        raise EventError(f"the event has unknown keys: {_shown(sorted(unknown))}. {_ALLOWED}")
    for key, value in event.items():
        if not isinstance(value, bool):
            raise EventError(f"the event's {key} = {_shown(value)} is neither true nor false. {_ALLOWED}")
    request = Request(**event)
    if request.canary and request != Request(canary=True):
        raise EventError(
            f"the event {_shown(event)} combines canary with other options: a pull of the canary is a run of its own. "
            f"{_ALLOWED}"
        )
    return request


def _is_scheduled(event: Mapping[Any, object]) -> bool:
    source = event.get("source")
    # A list or an object cannot be looked up in a set.
    return isinstance(source, str) and source in _SCHEDULERS and event.get("detail-type") == "Scheduled Event"


_ALLOWED = "Allowed are {} for a normal run, EventBridge's own scheduled event, and an object with any of " + ", ".join(
    f'"{option}": true|false' for option in OPTIONS
)


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=str, skipkeys=True)
    except (RecursionError, ValueError):
        text = "(nested too deeply to be shown)"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
