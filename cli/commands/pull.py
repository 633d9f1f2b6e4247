"""`frontdoor pull`: pull an image through the front door, and show how long each part took."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from ssl import SSLError
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn
from rich.table import Table

from cli.exit_status import WRONG
from cli.options import CONFIG, Config, Json, Timeout
from cli.pull.client import Fetched, Puller
from cli.pull.manifest import PullError, own_platform
from cli.pull.reference import Reference, parse_reference
from cli.settings_file import read
from cli.terminal import console
from lambda_fn.contract.errors import SettingsError
from lambda_fn.edges import tls

_MIB = 1 << 20
_WIDTH = 130
"""Of a line with a whole digest."""


def pull(
    image: Annotated[str, typer.Argument(metavar="[HOST/]REPOSITORY:TAG|@DIGEST", help="What to pull.")],
    *,
    config: Config = CONFIG,
    platform: Annotated[
        str | None, typer.Option(metavar="OS/ARCH", help="Of an image for several platforms (default: this machine's).")
    ] = None,
    authority: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="Trust these authorities, too (PEM).")
    ] = None,
    timeout: Timeout = 30.0,
    as_json: Json = False,
) -> None:
    """Pull an image as a test.

    It pulls everything that a client pulls, without a login, three blobs at a time as docker does, verifies every
    digest, and stores nothing. Without a host in the image it pulls from the domain of the settings file.

    The exit status is 1 when the pull failed.
    """
    wanted, extra = parse_reference(image), _authority(authority)
    host = wanted.host
    if host is None:
        settings = read(config)
        host, canary = settings.domain, settings.canary
        extra = extra or (canary.authority if canary else None)
    try:
        trusted = tls.client_context(extra)
    except (SSLError, ValueError) as error:
        raise SettingsError(f"{authority} holds no certificates in PEM: {error}") from error
    started_at = time.monotonic()
    try:
        with closing(Puller(host, trusted, timeout)) as puller:
            fetched = _pull(puller, wanted, platform or own_platform())
    except PullError as error:
        typer.echo(f"frontdoor: {error}", err=True)
        raise typer.Exit(WRONG) from error
    _report(f"{host}/{wanted}", fetched, time.monotonic() - started_at, as_json=as_json)


def _authority(path: Path | None) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace") if path else None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}. Fix: name a file with --ca") from error


def _pull(puller: Puller, image: Reference, platform: str) -> list[Fetched]:
    manifests, parts = puller.manifests(image, platform)
    with _progress(sum(part.size_bytes for part in parts)) as advance:
        puller.on_bytes = advance
        return [*manifests, *puller.blobs(image.repository, parts)]


@contextmanager
def _progress(total_bytes: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal, which goes away at the end; elsewhere nothing."""
    columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
    bar = Progress(*columns, console=console(sys.stderr), transient=True)
    task = bar.add_task("blobs", total=total_bytes)
    with bar:
        yield lambda size: bar.advance(task, size)


def _report(image: str, fetched: list[Fetched], seconds: float, *, as_json: bool) -> None:
    size_bytes = sum(one.size_bytes for one in fetched)
    if as_json:
        parts = [asdict(one) for one in fetched]
        typer.echo(json.dumps({"image": image, "seconds": seconds, "size_bytes": size_bytes, "parts": parts}, indent=2))
        return
    table = Table("part", "digest", "size", "first byte", "total", box=None, pad_edge=False)
    for one in fetched:
        size, first, total = f"{one.size_bytes:,}", f"{one.first_byte_seconds:.3f} s", f"{one.seconds:.3f} s"
        table.add_row(one.kind, one.digest, size, first, total)
    out = console(width=_WIDTH)
    out.print(table)
    for warning in filter(None, (one.warning for one in fetched)):
        out.print(f"warning: {warning}")
    mib = size_bytes / _MIB
    out.print(f"pulled {image} in {seconds:.2f} s: {mib:,.1f} MiB, {mib / seconds:,.1f} MiB/s, every digest is right")
