"""How hostile clients are started, each a program beside the one that watches. Pure."""

import sys
from collections.abc import Mapping


def words(module: str, kind: str, options: Mapping[str, object]) -> list[str]:
    """The words that start a hostile client: its kind, and its options by name. A list repeats its option."""
    pairs = [
        (name, value) for name, given in options.items() for value in (given if isinstance(given, list) else [given])
    ]
    return [sys.executable, "-m", module, kind, *(f"--{name}={value}" for name, value in pairs)]
