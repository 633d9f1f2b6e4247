"""From text to `Settings` and back, with one message for all mistakes at once. Pure."""

import json
import tomllib
from collections.abc import Callable
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.exposure import Exposure
from lambda_fn.settings.models import Settings

NOT_SHOWN = frozenset({"certificate_authority"})
"""The keys whose values a message does not repeat, because an operator may have put a private key there."""
_SHOWN_CHARACTERS = 80
_KINDS = ", ".join(repr(get_args(kind.model_fields["kind"].annotation)[0]) for kind in get_args(get_args(Exposure)[0]))
_WRONG_TYPE = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false without quotes",
    "bool_parsing": "must be true or false without quotes",
    "tuple_type": "must be a list: [ ] around values, or tables headed in double brackets like [[registries]]",
    "model_type": "must be a table of keys",
    "model_attributes_type": "must be a table of keys",
    "dict_type": "must be a table of keys",
}
"""What a message says about a wrong type. pydantic's own words are those of Python."""

Location = tuple[str | int, ...]
"""The keys that lead to a value in a file, and numbers in lists."""


def parse_toml(text: str, source: str) -> Settings:
    """`Settings` from the text of a `frontdoor.toml`; `source` names the file in messages.

    Raises:
        SettingsError: it is not TOML, or any value is wrong; lists every mistake, one a line.
    """
    return validated(load_toml(text, source), source)


def load_toml(text: str, source: str) -> dict[str, Any]:
    """The tables of a TOML file; `source` names it in messages.

    Raises:
        SettingsError: it is not TOML.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # some editors put a byte order mark there
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or more digits or brackets than Python takes
        raise SettingsError(f"{source} is not TOML: {error}") from error


def parse_json(text: str, source: str) -> Settings:
    """`Settings` from what `to_json` made of them; `source` names the text in messages.

    Raises:
        SettingsError: it is not JSON, or does not fit this version's settings.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{source} is not JSON ({error}). Fix: deploy the stack again") from error
    try:
        return validated(raw, source)
    except SettingsError as error:
        raise SettingsError(
            f"{error}\nthe code and its settings have different versions. Fix: deploy the stack again"
        ) from error


def to_json(settings: Settings) -> str:
    """What the stack puts into the Lambda's bundle, as JSON: what the Lambda needs and is no default."""
    return settings.model_dump_json(exclude_defaults=True, exclude={"deployment"})


def validated(raw: object, source: str, place: Callable[[Location], str] = lambda _: "") -> Settings:
    """`Settings` from tables.

    Args:
        raw: The tables.
        source: Names the file in messages.
        place: Names another file for the value at a location; an empty text for none.

    Raises:
        SettingsError: any value is wrong; lists every mistake, one a line.
    """
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        # pydantic also reports a list as too short when its items are wrong; the mistakes of the items are enough.
        found = [d for d in error.errors(include_url=False) if d["type"] != "too_short" or not d["input"]]
        mistakes = [line + place(_location(details)) for details in found for line in _mistake(details).splitlines()]
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise SettingsError(f"{source} has {count}:\n" + "\n".join(f"  {line}" for line in mistakes)) from None


def _location(details: ErrorDetails) -> Location:
    # After `exposure` pydantic adds the kind, and after a wrong key `[key]`: neither is in the file.
    parts = zip(("", *details["loc"]), details["loc"], strict=False)
    return tuple(part for before, part in parts if before != "exposure" and part != "[key]")


def _mistake(details: ErrorDetails) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in _location(details)).lstrip(".")
    match details["type"]:
        case "missing":
            return f"{key} is missing"
        case "extra_forbidden":
            return f"{key} is not a known setting: must be one of {', '.join(_allowed(details['loc'][:-1]))}"
        case "union_tag_invalid" | "union_tag_not_found":
            kind = dict(details["input"]).get("kind")
            return f"{key}.kind {'is missing' if kind is None else f'= {_shown(kind)}'}: must be one of {_KINDS}"
        case "too_short":
            return f"{key} = {_shown(details['input'])}: must have at least one entry"
        case "value_error" if isinstance(details["input"], dict | list | tuple):
            # The checks across tables give one line for each mistake.
            return "\n".join(f"{key or 'the file'}: {reason}" for reason in _reason(details).splitlines())
        case _:
            value = "" if NOT_SHOWN.intersection(details["loc"]) else f" = {_shown(details['input'])}"
            return f"{key}{value}: {_reason(details)}"


def _reason(details: ErrorDetails) -> str:
    return _WRONG_TYPE.get(details["type"]) or details["msg"].removeprefix("Value error, ").replace(
        "Input should", "must"
    )


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever the file held
    text = json.dumps(_without_tables(value), default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _without_tables(value: Any) -> Any:  # noqa: ANN401 - whatever the file held
    """The value with `...` for the content of each table in it, which may have a key that is not shown."""
    if isinstance(value, list | tuple):
        return [_without_tables(item) for item in value]
    return {"...": "..."} if value and isinstance(value, dict) else value


def _allowed(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at `location`, which names list items by number and exposures by their kind."""
    schema = Settings.model_json_schema()
    node = schema
    for part in location:
        if isinstance(part, int):
            node = node["items"]
        elif "discriminator" in node:
            node = {"$ref": node["discriminator"]["mapping"][part]}
        else:
            node = node["properties"][part]
        # A table that may be left out is `the table, or null`.
        node = next((member for member in node.get("anyOf", ()) if "$ref" in member), node)
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return sorted(node["properties"])
