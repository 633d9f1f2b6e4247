"""Who writes a field of an object, by the API server's own record of it. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Keys, and places in lists, from an object's root."""


def writers(found: Mapping[str, Any], path: Path, *, but: str | None = None) -> list[str]:
    """The managers of the field at `path` or of anything below it, `but` one, each with the day it last wrote."""
    entries = found["metadata"].get("managedFields", [])
    return [_named(entry) for entry in entries if entry["manager"] != but and _holds(entry["fieldsV1"], found, path)]


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['manager']}, {str(entry.get('time', 'at an unknown time')).replace('T', ' ').replace('Z', ' UTC')}"


def _holds(fields: Mapping[str, Any], part: Any, path: Path) -> bool:  # noqa: ANN401 - JSON
    if not path:
        return True
    step, *rest = path
    for key, below in fields.items():
        if _is(key, step, part):
            # What has nothing below it was written as a whole.
            return not below or _holds(below, part[step], tuple(rest))
    return False


def _is(key: str, step: str | int, part: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a key of the record means this step: `f:NAME`, or `k:{...}` with the keys of a list's item."""
    if isinstance(step, str):
        return key == f"f:{step}" and step in part
    if not key.startswith("k:"):
        return False
    item = part[step]
    return bool(json.loads(key[2:]).items() <= item.items())
