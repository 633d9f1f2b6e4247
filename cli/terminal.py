"""How `frontdoor` writes on a terminal."""

import os
import signal
import sys
from typing import NoReturn, TextIO

import typer
from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """As with `| head`: end without a message, with the status of the signal.

        The interpreter flushes once more when it exits: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        """
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(128 + signal.SIGPIPE)


def console(stream: TextIO | None = None, *, width: int | None = None) -> Console:
    """Writes text as it is, each line whole: nothing in it is markup, and `grep` finds it.

    A terminal has colours, unless plain text was requested (https://no-color.org); that includes bold.

    Args:
        stream: Where to; None for standard output.
        width: Of tables; None for that of the terminal, at which they cut what is longer.
    """
    return _Console(
        file=stream,
        width=width,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        soft_wrap=True,
        markup=False,
        emoji=False,
        highlight=False,
    )
