"""The `Range` header as S3 reads it: one range or none. Pure."""

import re

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


class Unsatisfiable(ValueError):  # noqa: N818  the name RFC 9110 gives the condition
    """The range contains no byte of the object."""


def selected(header: str | None, size_bytes: int) -> range | None:
    """The offsets a `Range` header selects; `None` for the whole object (no header, several ranges, not a range).

    Raises:
        Unsatisfiable: Always for an empty object.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        chosen = range(max(0, size_bytes - int(match["last"])), size_bytes)
    else:
        last = int(match["last"]) if match["last"] else size_bytes - 1
        if match["last"] and last < int(match["first"]):
            return None
        chosen = range(int(match["first"]), min(last + 1, size_bytes))
    if not chosen:
        raise Unsatisfiable
    return chosen
