"""The error that the sandbox reports to its user."""

from pathlib import Path


class SandboxError(Exception):
    """An error with a fix: the message names cause, value and fix."""


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented, or a note that there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return f"    ({log} does not exist)"
    return "\n".join(f"    {line}" for line in lines) or f"    ({log} is empty)"
