"""What the sandbox tells its user when it cannot go on."""

from pathlib import Path


class SandboxError(Exception):
    """Something the user can act upon: the message names the thing, the value and the way out."""


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented, or a note that there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return f"    ({log} does not exist)"
    return "\n".join(f"    {line}" for line in lines) or f"    ({log} is empty)"
