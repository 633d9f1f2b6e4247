"""A person at a terminal: answers the questions of a program, one after the other."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.sandbox.errors import SandboxError

_PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Session:
    """What was on the terminal, the questions that were answered, and the exit status of the program."""

    text: str
    questions: tuple[str, ...]
    status: int


def answer(
    command: Sequence[str | Path],
    answers: Mapping[str, str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    seconds: float = 60.0,
) -> Session:
    """Run a program on a terminal, and answer each question, by a text that is in it.

    Raises:
        SandboxError: It did not end in time, or asked something without an answer.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=dict(environment),
        cwd=directory,
    )
    os.close(theirs)
    shown, asked, seen, ends_at = "", list[str](), 0, time.monotonic() + seconds
    try:
        while (piece := _read(ours, ends_at)) is not None:
            shown += piece
            question = shown[seen:].splitlines()[-1] if shown[seen:].endswith(": ") else ""
            if not question:
                continue
            typed = next((typed for part, typed in answers.items() if part in question), None)
            if typed is None:
                raise SandboxError(f"it asks {question!r}, to which there is no answer")
            asked.append(question)
            seen = len(shown)
            os.write(ours, f"{typed}\n".encode())
        return Session(shown, tuple(asked), process.wait(timeout=seconds))
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def _read(terminal: int, ends_at: float) -> str | None:
    """The next piece of what the program writes; None where it has ended."""
    if not select.select([terminal], [], [], max(0.0, ends_at - time.monotonic()))[0]:
        raise SandboxError("the program wrote nothing more, and did not end")
    try:
        piece = os.read(terminal, _PIECE_BYTES)
    except OSError:  # Linux's EIO: the other end is closed
        return None
    return piece.decode(errors="replace") or None
