"""Writes the generated blocks of docs/permissions.md (`make docs`); a test compares them with the document."""

import re

from tests.template import configurations, deployment_permissions, role_permissions

DOCUMENT = configurations.ROOT / "docs" / "permissions.md"
_BLOCK = re.compile(r"<!-- generated: (?P<name>\w+) -->\n(?P<text>.*?)<!-- end of generated -->\n", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every block by its name: the tables of the roles and resource policies, and those of a deployment."""
    found = role_permissions.tables(role_permissions.entries(), role_permissions.reasons())
    return found | {"deployment": deployment_permissions.generated()}


def written() -> dict[str, str]:
    """The blocks that the document has now."""
    return {block["name"]: block["text"] for block in _BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))}


def _write() -> None:
    made = blocks()
    text = _BLOCK.sub(
        lambda block: f"<!-- generated: {block['name']} -->\n{made[block['name']]}<!-- end of generated -->\n",
        DOCUMENT.read_text(encoding="utf-8"),
    )
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
