"""The labels and annotations that people read: bounded in number, length and letters, since an attacker may push them.

https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
"""

import re
import unicodedata
from collections.abc import Mapping

MOST_LABELS = 16
"""The specification defines 14."""
LONGEST_VALUE = 256
"""Characters; a longer value is cut, and ends with `…`."""
MOST_BYTES = 4_608
"""Of the values of an image: so one repository takes at most a tenth of its shard from the others."""
_KEY = re.compile(r"org\.opencontainers\.image\.[a-z][a-z0-9.-]{0,38}", re.ASCII)
_TEXT = 1_000
"""So much of a value is looked at: it may have megabytes."""


def readable(*sources: object) -> dict[str, str]:
    """The labels among `sources`, sorted by key; an earlier source has precedence.

    Args:
        sources: Annotations and labels as they were parsed, of any type.
    """
    found: dict[str, str] = {}
    for source in sources:
        if isinstance(source, Mapping):
            for key, value in source.items():
                if isinstance(key, str) and isinstance(value, str) and _KEY.fullmatch(key):
                    found.setdefault(key, _line(value))
    kept, room = dict[str, str](), MOST_BYTES
    for key in sorted(found)[:MOST_LABELS]:
        size = len(found[key].encode())
        if 0 < size <= room:
            kept[key] = found[key]
            room -= size
    return kept


def _line(value: str) -> str:
    """One line without control characters, and without those that change the direction of the text around them."""
    spaced = " ".join(value[:_TEXT].split())
    # Cc, Cf, Cs, Co and Cn: controls, formats, surrogates, private use, unassigned.
    text = "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
