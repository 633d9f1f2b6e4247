"""Short-lived programs: run to their end, silent on success, with the end of their output on failure."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.sandbox.errors import SandboxError


def run(
    command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Raises:
        SandboxError: It is missing or ends with another status than 0. The message carries the end of its output.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, check=False, capture_output=True, text=True, errors="replace", env=environment, cwd=directory
        )
    except FileNotFoundError as error:
        raise SandboxError(f"{words[0]} is not installed. Fix: run `python -m testbed.sandbox setup`") from error
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SandboxError(f"`{' '.join(words)}` ended with status {done.returncode}:\n{output}")
    return done.stdout
