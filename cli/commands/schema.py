"""`frontdoor schema`: the JSON Schema of the settings file."""

import json

import typer

from lambda_fn.settings.models import Settings


def schema() -> None:
    """Print the JSON Schema of frontdoor.toml.

    With it an editor completes and checks the settings. It is the same as docs/frontdoor.schema.json.
    """
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))
