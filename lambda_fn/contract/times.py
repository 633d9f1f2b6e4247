"""How instants are written in the Secret, in annotations and in reports: UTC, whole seconds, RFC 3339. Pure."""

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def instant_text(instant: datetime) -> str:
    """An aware `datetime` as text, such as `2026-11-23T21:00:00Z`."""
    return instant.astimezone(UTC).strftime(_FORMAT)


def parse_instant(text: str) -> datetime:
    """The instant that `instant_text` wrote.

    Raises:
        ValueError: The text has another format.
    """
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
