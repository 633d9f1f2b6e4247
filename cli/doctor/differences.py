"""The fields in which an object in the cluster differs from the chart's. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.doctor.field_managers import Path
from lambda_fn.contract.quantity import parse_quantity

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs from the chart's.

    Attributes:
        path: Where it is.
        wanted: Its value in the chart.
        found: Its value in the cluster; None where it is missing.
    """

    path: Path
    wanted: object
    found: object

    def __str__(self) -> str:
        """The path, and both values if they are short: no object of the charts holds a secret."""
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        found, wanted = _short(self.found), _short(self.wanted)
        return where if None in {found, wanted} else f"{where} ({found} instead of {wanted})"


def differences(wanted: Any, found: Any, path: Path = ()) -> Iterator[Difference]:  # noqa: ANN401 - JSON
    """The fields of `wanted` that `found` lacks or changes. Further fields of `found` are defaults of the API."""
    match wanted:
        case Mapping():
            values = found if isinstance(found, Mapping) else {}
            for key, value in wanted.items():
                yield from differences(value, values.get(key), (*path, key))
        case list() if wanted and isinstance(found, list) and len(found) == len(wanted):
            for number, pair in enumerate(zip(wanted, found, strict=True)):
                yield from differences(*pair, (*path, number))
        case _ if not _is_same(wanted, found):
            yield Difference(path, wanted, found)


def _short(value: object) -> str | None:
    if value is None:
        return "missing"
    text = str(value)
    return None if isinstance(value, dict | list) or len(text) > _SHOWN_CHARACTERS or "\n" in text else text


def _is_same(wanted: object, found: object) -> bool:
    if wanted == found or (not wanted and not found):
        return True
    try:
        # The API server writes 1024Mi as 1Gi.
        return isinstance(wanted, str) and isinstance(found, str) and parse_quantity(wanted) == parse_quantity(found)
    except ValueError:
        return False
