"""The records of the access log in lines of any shape in which logs are shipped. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA = 1
"""Of the records that this command understands (docs/access-log.md)."""

YEAR_9999 = 253_370_764_800.0
"""Seconds since 1970. A shared log group has lines of other programs, and Python knows no later year."""
_INT_64 = 2**63 - 1

Record = Mapping[str, Any]
"""An object of JSON; another program may have written it."""
Printable = Annotated[str, Field(pattern="^[ -~]*$")]
"""The proxy logs no other characters; some of them are commands to a terminal."""


class CheckedRecord(BaseModel):
    """What is read of a record; docs/access-log.md describes the fields."""

    model_config = ConfigDict(strict=True, frozen=True)
    ended_at: Annotated[float, Field(gt=0, lt=YEAR_9999, allow_inf_nan=False)]
    server: Printable
    client: Printable
    method: Printable
    path: Printable
    status: int
    bytes: Annotated[int, Field(ge=0, le=_INT_64)]
    seconds: Annotated[float, Field(ge=0, le=_INT_64, allow_inf_nan=False)]
    repository: Printable
    tag: Printable
    digest: Printable
    media_type: Printable
    cache: Printable
    user_agent: Printable


_WRAPPED = ("log_processed", "log", "message", "MESSAGE", "event")
"""Where collectors put a line: Fluent Bit `log`, parsed by `Merge_Log_Key` of Container Insights `log_processed`;
CloudWatch `message`; Firehose and HTTP event collectors `event`."""
_EVENTS = ("logEvents", "events")
"""Where CloudWatch puts lines: in a subscription's message, and in the output of `aws logs filter-log-events`."""
_BEGIN = '{"schema":'
_ERROR_LOG = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \[")
"""Begins a line of nginx's error log, which is in the same log. It quotes requests: a client could forge a record."""
_LAYERS = 6
"""A line is wrapped by one or two collectors. A limit, since a file may hold anything."""


def checked(record: Record) -> CheckedRecord | None:
    """The record, if each field is there and of its type."""
    try:
        return CheckedRecord.model_validate(record)
    except ValidationError:
        return None


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records in lines: objects with `server`, as nginx writes them. Everything else is left out.

    A line is a record itself, or has one behind a prefix (CRI's, `kubectl logs --timestamps`, an export to S3), or is
    an object or several of a collector that has records inside, as text or parsed.
    """
    decoder = json.JSONDecoder()
    for line in lines:
        # The usual case, which costs a third of the general one.
        if line.startswith(_BEGIN):
            try:
                yield decoder.decode(line)
            except (ValueError, RecursionError):
                pass
            else:
                continue
        yield from _in_text(decoder, line, _LAYERS)


def _in_text(decoder: json.JSONDecoder, text: str, layers: int) -> Iterator[Record]:
    end, begin = 0, text.find("{")
    while begin >= 0 and not _ERROR_LOG.search(text, end, begin):
        try:
            found, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return
        yield from _in_object(decoder, found, layers)
        begin = text.find("{", end)


def _in_object(decoder: json.JSONDecoder, found: Mapping[str, Any], layers: int) -> Iterator[Record]:
    if "server" in found:
        yield found
        return
    if not layers:
        return
    for name in _EVENTS:
        for event in found[name] if isinstance(found.get(name), list) else ():
            if isinstance(event, dict):
                yield from _in_object(decoder, event, layers - 1)
    for name in _WRAPPED:
        inner = found.get(name)
        inside = (
            _in_text(decoder, inner, layers - 1)
            if isinstance(inner, str)
            else _in_object(decoder, inner, layers - 1)
            if isinstance(inner, dict)
            else ()
        )
        if first := next(iter(inside), None):
            yield first
            yield from inside
            return
