"""The blocks of a document that `make docs` writes, each between comments that name it."""

import re
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(r"<!-- generated: (?P<name>\w+) -->\n(?P<text>.*?)<!-- end of generated -->\n", re.DOTALL)


def written(document: Path) -> dict[str, str]:
    """The blocks that the document has now, by name."""
    return {block["name"]: block["text"] for block in _BLOCK.finditer(document.read_text(encoding="utf-8"))}


def write(document: Path, blocks: Mapping[str, str]) -> None:
    """Replace each block of the document."""
    text = _BLOCK.sub(
        lambda block: f"<!-- generated: {block['name']} -->\n{blocks[block['name']]}<!-- end of generated -->\n",
        document.read_text(encoding="utf-8"),
    )
    document.write_text(text, encoding="utf-8")
