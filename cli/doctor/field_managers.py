"""The field managers of an object's fields, by the API server's record. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Keys, and indexes of lists, from an object's root."""


def managers_of(found: Mapping[str, Any], path: Path, *, except_for: str | None = None) -> list[str]:
    """The field managers of the field at `path` or of anything below it, each with the time of its last write."""
    entries = found["metadata"].get("managedFields", [])
    return [
        _title(entry)
        for entry in entries
        if entry["manager"] != except_for and _contains(entry["fieldsV1"], found, path)
    ]


def _title(entry: Mapping[str, Any]) -> str:
    written_at = str(entry.get("time", "at an unknown time")).replace("T", " ").replace("Z", " UTC")
    return f"{entry['manager']}, {written_at}"


def _contains(fields: Mapping[str, Any], part: Any, path: Path) -> bool:  # noqa: ANN401 - JSON
    if not path:
        return True
    step, *rest = path
    for key, below in fields.items():
        if _matches(key, step, part):
            # A field with nothing below it was written as a whole.
            return not below or _contains(below, part[step], tuple(rest))
    return False


def _matches(key: str, step: str | int, part: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a key of the record is this step: `f:NAME`, or `k:{...}` with the keys of a list's item."""
    if isinstance(step, str):
        return key == f"f:{step}" and step in part
    if not key.startswith("k:"):
        return False
    item = part[step]
    return bool(json.loads(key[2:]).items() <= item.items())
