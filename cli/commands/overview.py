"""`frontdoor overview`: the stacks and alarms of all environments on one page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.account.clients import session
from cli.doctor.check import in_order
from cli.doctor.checks import alarms, aws, stack
from cli.doctor.context import CheckContext, contexts_of
from cli.doctor.examination import examine_all
from cli.doctor.finding import Verdict
from cli.doctor.overview import Row, counted, page
from cli.exit_status import WRONG
from cli.options import CONFIG, Configs, Json, Profile, Timeout
from cli.settings_file import read_all
from cli.terminal import console

_WIDTH = 400
"""Of a table that no terminal shows."""


def overview(
    *,
    config: Configs = CONFIG,
    profile: Profile = None,
    timeout: Timeout = 10.0,
    html: Annotated[bool, typer.Option("--html", help="Print one HTML page, for a web server.")] = False,
    as_json: Json = False,
) -> None:
    """Show the stack and the alarms of every environment.

    It has one row for each, and reads CloudFormation and CloudWatch only: with --html, a page for a screen.

    The exit status is 1 when an alarm is raised, or a stack is missing or failed.
    """
    contexts = contexts_of(read_all(config), lambda region: session(profile, region), timeout_seconds=timeout)
    rows = [*_rows(contexts)]
    if html:
        typer.echo(page(rows, datetime.now(UTC)), nl=False)
    elif as_json:
        typer.echo(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        _print(rows)
    if any(row.verdict in {Verdict.FAILED, Verdict.WARNING} for row in rows):
        raise typer.Exit(WRONG)


def _rows(contexts: list[CheckContext]) -> Iterator[Row]:
    checks = in_order(module.CHECK for module in (aws, stack, alarms))
    for context in contexts:
        found = examine_all(checks, [context], lambda _: None)
        # Who the operator is says nothing of the environment.
        findings = [one for one in found if one.check != aws.CHECK.id or one.verdict is not Verdict.OK]
        settings = context.settings
        yield Row(
            environment=context.environment or Path(context.config).stem,
            domain=settings.domain,
            region=settings.cluster.region,
            findings=findings,
        )


def _print(rows: list[Row]) -> None:
    table = Table("state", "environment", "domain", "region", "stack and alarms", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.verdict.word, row.environment, row.domain, row.region, "; ".join(row.lines))
    screen = console()
    console(width=None if screen.is_terminal else _WIDTH).print(table)
    screen.print(", ".join(f"{count} {word}" for word, count in counted(rows).items()))
