"""Options that several subcommands have, with the same names and meanings."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from stacks.environments import DEFAULT_CONFIG

MAX_TIMEOUT_SECONDS = 60

Config = Annotated[Path, typer.Option("--config", metavar="PATH", help="The settings file.")]
Configs = Annotated[
    Path, typer.Option("--config", metavar="PATH", help="The settings file, or a folder with one for each environment.")
]
CONFIG = Path(DEFAULT_CONFIG)
"""The default of `Config` and `Configs`."""

Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="The AWS profile (default: as for the AWS command line)."),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.1, max=MAX_TIMEOUT_SECONDS, help="How long to wait for each answer."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is wrong.")]


def valid(kind: TypeAdapter[str], text: str) -> str:
    """The text, if the settings would take it.

    Raises:
        BadParameter: They would not.
    """
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{text}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
