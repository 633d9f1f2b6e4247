"""The generated blocks of a Markdown document, each between comments that name it: none is typed by hand. Pure."""

import re
from collections.abc import Mapping

_BLOCK = re.compile(r"<!-- generated: (?P<name>\w+) -->\n(?P<text>.*?)<!-- end of generated -->", re.DOTALL)


def written(document: str) -> dict[str, str]:
    """The blocks that the document has now, by name."""
    return {block["name"]: block["text"] for block in _BLOCK.finditer(document)}


def filled(document: str, blocks: Mapping[str, str]) -> str:
    """The document with the text of every block replaced; a text without a line feed at its end gets one.

    Raises:
        KeyError: A comment names a block that is not there.
    """

    def replaced(block: re.Match[str]) -> str:
        text = blocks[block["name"]].removesuffix("\n")
        return f"<!-- generated: {block['name']} -->\n{text}\n<!-- end of generated -->"

    return _BLOCK.sub(replaced, document)
