"""`python -m cli.reference`: write the reference of `frontdoor.toml` from its models.

It writes docs/frontdoor.schema.json, and in docs/configuration.md what stands between the two markers.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambda_fn.settings.models import Settings

_DOCS = Path(__file__).parents[1] / "docs"
_BEGIN, _END = "<!-- generated: tables -->", "<!-- end of generated -->"
_HEAD = "| key | default | meaning |\n| --- | --- | --- |"

Node = Mapping[str, Any]


def written(configuration: str) -> dict[Path, str]:
    """The text of both files.

    Args:
        configuration: The text of docs/configuration.md, of which all but the tables stays.
    """
    schema = Settings.model_json_schema()
    before, rest = configuration.split(_BEGIN, 1)
    tables = "\n\n".join(_table(*section) for section in _sections(schema, schema, "Top level", ""))
    return {
        _DOCS / "frontdoor.schema.json": json.dumps(schema, indent=2) + "\n",
        _DOCS / "configuration.md": f"{before}{_BEGIN}\n\n{tables}\n\n{_END}{rest.split(_END, 1)[1]}",
    }


def main() -> None:
    """Write both files."""
    for path, text in written((_DOCS / "configuration.md").read_text(encoding="utf-8")).items():
        path.write_text(text, encoding="utf-8")


def _sections(schema: Node, table: Node, title: str, path: str) -> Iterator[tuple[str, Node]]:
    """The heading and the schema of a table, then of the tables in it."""
    yield title, table
    for key, field in table["properties"].items():
        name = f"{path}.{key}".lstrip(".")
        for kind, model in _models(field).items():
            heading = f'`[{name}]` with `kind = "{kind}"`' if kind else f"`[{name}]`"
            if field.get("type") == "array":
                heading = f"`[[{name}]]`"
            yield from _sections(schema, schema["$defs"][model], heading, name)


def _models(field: Node) -> dict[str, str]:
    """The models that a field may hold, by their `kind`; one without a kind has an empty one."""
    if "discriminator" in field:
        return {kind: _model(ref) for kind, ref in field["discriminator"]["mapping"].items()}
    nodes = (field, field.get("items", {}), *field.get("anyOf", ()))
    model = next((_model(node["$ref"]) for node in nodes if "$ref" in node), None)
    return {"": model} if model else {}


def _model(ref: str) -> str:
    return ref.rsplit("/", 1)[-1]


def _table(title: str, table: Node) -> str:
    """The kind, which a reader looks for, comes first; then inherited keys."""
    fields = sorted(table["properties"].items(), key=lambda field: field[0] != "kind")
    rows = "\n".join(
        f"| `{key}` | {_default(field)} | {_line(field['description'])}{_bounds(field)} |" for key, field in fields
    )
    return f"### {title}\n\n{_line(table['description'])}\n\n{_HEAD}\n{rows}"


def _default(field: Node) -> str:
    if "default" not in field:
        return "`{}`" if field.get("type") == "object" and not field.get("minProperties") else "required"
    if field["default"] is None:
        return "not set"
    return "all defaults" if "$ref" in field else f"`{json.dumps(field['default'])}`"


def _bounds(field: Node) -> str:
    lowest, highest = field.get("minimum"), field.get("maximum")
    if lowest is None:
        return ""
    return f" Allowed: {lowest} or more." if highest is None else f" Allowed: {lowest} to {highest}."


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
