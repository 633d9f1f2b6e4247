"""Puts tables between the markers of a Markdown document, so that no figure in it is typed by hand. Pure."""

import re
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def filled(document: str, blocks: Mapping[str, str]) -> str:
    """The document with the text of every marked block replaced.

    Raises:
        KeyError: A marker names a block that is not there.
    """
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match['name']]}\n{match[3]}", document)
