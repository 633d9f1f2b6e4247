"""Lists in messages, which stay short."""

from collections.abc import Sequence


def shortened(items: Sequence[object], most: int) -> str:
    """The first items, and how many more there are: `a, b and 3 more`."""
    more = len(items) - most
    return ", ".join(map(str, items[:most])) + (f" and {more} more" if more > 0 else "")
