"""In what an object in the cluster differs from the chart's. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lightkube.utils.quantity import parse_quantity

from cli.doctor.fields import Path

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as the chart has it.

    Attributes:
        path: Where it is.
        wanted: What the chart has there.
        found: What the cluster has; None for nothing.
    """

    path: Path
    wanted: object
    found: object

    def __str__(self) -> str:
        """Where, and the two values if they are short: none of the charts' objects holds a secret."""
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        values = [_short(self.found), _short(self.wanted)]
        return where if None in values else f"{where} is {values[0]} and not {values[1]}"


def differences(wanted: Any, found: Any, path: Path = ()) -> Iterator[Difference]:  # noqa: ANN401 - JSON
    """Where `found` lacks or changes what `wanted` says; what it has beyond that is the API's default."""
    match wanted:
        case Mapping():
            values = found if isinstance(found, Mapping) else {}
            for key, value in wanted.items():
                yield from differences(value, values.get(key), (*path, key))
        case list() if wanted and isinstance(found, list) and len(found) == len(wanted):
            for number, pair in enumerate(zip(wanted, found, strict=True)):
                yield from differences(*pair, (*path, number))
        case _ if not _same(wanted, found):
            yield Difference(path, wanted, found)


def _short(value: object) -> str | None:
    if value is None:
        return "missing"
    text = str(value)
    return None if isinstance(value, dict | list) or len(text) > _SHOWN_CHARACTERS or "\n" in text else text


def _same(wanted: object, found: object) -> bool:
    if wanted == found or (not wanted and not found):
        return True
    try:
        # The API server writes 1024Mi as 1Gi.
        return isinstance(wanted, str) and isinstance(found, str) and parse_quantity(wanted) == parse_quantity(found)
    except ValueError:
        return False
