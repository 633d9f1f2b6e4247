"""`frontdoor usage`: what clients have pulled, from the access log."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from cli.account.clients import client, session
from cli.doctor.aws_calls import refusal_text
from cli.doctor.context import CheckContext
from cli.doctor.kubernetes_errors import KubernetesError
from cli.exit_status import WRONG
from cli.options import CONFIG, Config, Json, Profile, Timeout
from cli.settings_file import read
from cli.terminal import console
from cli.usage.insights import Insights
from cli.usage.layers import LEAD_SECONDS
from cli.usage.log_files import read_lines
from cli.usage.names import public_names
from cli.usage.pod_logs import PodLogs
from cli.usage.records import Record, records
from cli.usage.report import Period, Source, document, layer_rows, lines, rows
from cli.usage.tally import Tally, merged, time_of

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_HEADINGS = ("repository", "tag", "pulls", "checks", "last use, UTC", "by", "clients")
_LAYER_HEADINGS = ("repository", "client without a manifest", "layers", "last use, UTC")
_LAYER_ROWS = 20
"""Of these there may be thousands; the last ones are shown."""


def usage(  # noqa: PLR0913 - options of a command line
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Files of the access log, also gzip, or - for standard input.", show_default=False
        ),
    ] = None,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="How far to look back: a number with m, h or d, such as 24h.")
    ] = "24h",
    repository: Annotated[str | None, typer.Option(metavar="NAME", help="Only this repository.")] = None,
    log_group: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask CloudWatch Logs Insights for this log group.")
    ] = None,
    config: Config = CONFIG,
    profile: Profile = None,
    timeout: Timeout = 30.0,
    as_json: Json = False,
) -> None:
    r"""Show who pulls what, and what the cache saves.

    That is pulls, clients, tags in use, and the bytes that were not read from ECR and S3.

    It reads the logs of the pods, unless you name files of shipped logs (lines of JSON, plain or as Fluent Bit and
    CloudWatch wrap them), or a log group.

    Everything counts under the name that the client asked for. What was read from ECR and S3 is logged with ECR's name:
    the settings say what clients call it. Several names of one repository share these bytes, in proportion to the bytes
    that were sent by each name.

    One pull is one client's chain from a tag or digest to the last blob. A HEAD without a pull is a check: its tag is
    in use, too. Clients that got layers of a repository and none of its manifests have a list of their own. The report
    names the period that the logs cover: the kubelet rotates the log of a pod at 10 MiB.

    docs/operations.md describes the rights that it needs.
    """
    now = time.time()
    begin = now - _seconds(since)
    if files and log_group:
        raise typer.BadParameter("name files or --log-group, not both")
    settings = read(config) if not files or config.exists() else None
    names = public_names(settings.registries if settings else ())
    tally = Tally(since=begin, repository=repository, public_names=names)
    try:
        if files or not settings:
            sources, covers = _of_files(tally, files or [])
        elif log_group:
            aws = session(profile, settings.cluster.region)
            logs = client(aws, "logs", timeout_seconds=timeout, attempts=5)
            sources, covers = _of_log_group(tally, Insights(logs, log_group), log_group, (begin, now))
        else:
            with ExitStack() as stack:
                aws = session(profile, settings.cluster.region)
                context = CheckContext(settings=settings, aws=aws, config=str(config), timeout_seconds=timeout)
                stack.enter_context(closing(context))
                pods = stack.enter_context(closing(PodLogs(context.kubernetes, settings.names.workload, begin)))
                sources, covers = _of_pods(tally, pods, now)
    except (KubernetesError, BotoCoreError, ClientError, httpx2.HTTPError) as error:
        typer.echo(f"frontdoor: {_text(error)}", err=True)
        raise typer.Exit(WRONG) from error
    period = Period(begin, *covers)
    if as_json:
        typer.echo(json.dumps(document(tally, period, sources), indent=2))
    else:
        _print(tally, period, sources)
    if not any(source.begins_at for source in sources):
        raise typer.Exit(WRONG)


def _of_files(tally: Tally, files: list[Path]) -> tuple[list[Source], tuple[float | None, float | None]]:
    """The period is that of the records: files say nothing of lines that they lack."""
    begins = dict[Path, float | None]()

    def found_in(file: Path) -> Iterator[Record]:
        found = records(read_lines(file))
        for first in islice(found, 1):
            begins[file] = time_of(first)
            yield first
        yield from found

    tally.add_all(merged(map(found_in, files)))
    return [Source(str(file), begins.get(file)) for file in files], (tally.begins_at, tally.ends_at)


def _of_log_group(
    tally: Tally, insights: Insights, group: str, period: tuple[float, float]
) -> tuple[list[Source], tuple[float | None, float | None]]:
    since, until = period
    first_at = insights.begins_at(since - LEAD_SECONDS, until)
    begins_at = max(since, first_at)
    tally.add_all(insights.manifests(first_at, until))
    tally.replace_bytes(insights.sums(begins_at, until))
    tally.add_layers(insights.layers(begins_at, until))
    cut_off = len(insights.cut_off_seconds)
    note = f"{cut_off} seconds have more than 10,000 requests, and some are missing" if cut_off else ""
    return [Source(group, begins_at, note)], (begins_at, until)


def _of_pods(tally: Tally, pods: PodLogs, now: float) -> tuple[list[Source], tuple[float | None, float | None]]:
    tally.add_all(merged(pods.records()))
    begins = [source.begins_at for source in pods.sources if source.begins_at]
    return pods.sources, (max(begins, default=None), now)


def _print(tally: Tally, period: Period, sources: list[Source]) -> None:
    screen = console()
    for line in lines(tally, period, sources):
        screen.print(line)
    of_layers = layer_rows(tally)
    for headings, found in ((_HEADINGS, rows(tally)), (_LAYER_HEADINGS, of_layers[:_LAYER_ROWS])):
        if found:
            table = Table(*headings, box=None, pad_edge=False, header_style="bold")
            for row in found:
                table.add_row(*row)
            screen.print()
            console(width=None if screen.is_terminal else 400).print(table)
    if more := of_layers[_LAYER_ROWS:]:
        screen.print(f"and {len(more):,} more, which --json lists")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not valid: a number with m, h or d, such as 24h", param_hint="--since")
    return float(found[1]) * _UNITS[found[2]]


def _text(error: Exception) -> str:
    if isinstance(error, BotoCoreError | ClientError):
        return refusal_text(error)
    if isinstance(error, KubernetesError):
        return f"{error.message}. Fix: {error.hint}"
    return str(error)
