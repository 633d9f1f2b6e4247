"""The documents an operator and an editor read say what the models say."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambda_fn.settings import Settings

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = Settings.model_json_schema()
SECTIONS = {
    "": "Top level",
    "Cluster": "`[cluster]`",
    "Registry": "`[[registries]]`",
    "Proxy": "`[proxy]`",
    "IngressExposure": '`[proxy.exposure]` with `kind = "ingress"`',
    "NlbExposure": '`[proxy.exposure]` with `kind = "nlb"`',
    "PodExposure": '`[proxy.exposure]` with `kind = "pod"`',
    "ServiceExposure": '`[proxy.exposure]` with `kind = "service"`',
    "Resources": "`[proxy.resources]`",
    "Cache": "`[proxy.cache]`",
    "Timeouts": "`[proxy.timeouts]`",
    "Refresh": "`[refresh]`",
    "Endpoints": "`[endpoints]`",
    "Alarms": "`[alarms]`",
    "Canary": "`[canary]`",
    "Names": "`[names]`",
}


def rows(model: str) -> dict[str, tuple[str, str]]:
    """Key -> (default, meaning) of the model's table in docs/configuration.md."""
    text = (DOCS / "configuration.md").read_text()
    section = text.split(f"### {SECTIONS[model]}\n", 1)[1].split("\n### ", 1)[0]
    found = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", section, flags=re.MULTILINE)
    return {key: (default, meaning) for key, default, meaning in found}


def fields(model: str) -> dict[str, Any]:
    properties: dict[str, Any] = (SCHEMA["$defs"][model] if model else SCHEMA)["properties"]
    return properties


def written_default(field: Mapping[str, Any]) -> str:
    """A field's default as the document writes it."""
    if "default" not in field:
        return "`{}`" if field.get("type") == "object" and not field.get("minProperties") else "required"
    if field["default"] is None:
        return "not set"
    return "all defaults" if "$ref" in field else f"`{json.dumps(field['default'])}`"


def test_every_model_has_a_section() -> None:
    assert set(SECTIONS) == {"", *SCHEMA["$defs"]}


@pytest.mark.parametrize("model", SECTIONS)
def test_every_key_is_documented_with_the_models_own_words(model: str) -> None:
    documented = {key: meaning for key, (_, meaning) in rows(model).items()}
    assert documented == {key: field["description"].replace("\n", " ") for key, field in fields(model).items()}


@pytest.mark.parametrize("model", SECTIONS)
def test_every_default_is_documented(model: str) -> None:
    documented = {key: default for key, (default, _) in rows(model).items()}
    assert documented == {key: written_default(field) for key, field in fields(model).items()}


def test_every_field_says_what_it_means() -> None:
    assert [
        (model, key) for model in SECTIONS for key, field in fields(model).items() if not field.get("description")
    ] == []


def test_the_editors_schema_is_up_to_date() -> None:
    written = json.loads((DOCS / "frontdoor.schema.json").read_text())
    assert written == json.loads(json.dumps(SCHEMA)), "run `make schema`"
