"""`frontdoor doctor`: examine a deployed front door and print a line for each finding."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from cli.account.clients import session
from cli.doctor.context import CheckContext, contexts_of
from cli.doctor.finding import Finding, Verdict
from cli.doctor.report import report
from cli.exit_status import WRONG
from cli.options import CONFIG, Configs, Json, Profile, Quiet, Timeout
from cli.settings_file import read_all


def doctor(  # noqa: PLR0913 - options of a command line
    *,
    config: Configs = CONFIG,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="REPOSITORY:TAG",
            help="Pull this image's manifest and smallest layer as a test (default: the image in [canary], if set).",
        ),
    ] = None,
    profile: Profile = None,
    timeout: Timeout = 10.0,
    removed: Annotated[
        bool, typer.Option("--removed", help="Check instead that nothing is left that serves, after make destroy.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Check a deployed front door. The doctor only reads.

    It looks at the stack in AWS, the objects and pods in the cluster, and the domain as a client on this machine sees
    it. It prints one line for each finding:

    \b
        ok    nothing is wrong
        warn  pulls work, but you should act, or you have no right to read this
        FAIL  pulls, refreshes or the next deployment fail, or will fail
        skip  not checked, and why

    The exit status is 1 when a check failed; with --removed also where something could not be checked.

    docs/operations.md describes each check, the rights that the doctor needs, and the output of --json.
    """  # noqa: D301 - click reads the backspace: the lines after it stay as they are
    contexts = contexts_of(
        read_all(config), lambda region: session(profile, region), timeout_seconds=timeout, image=image
    )
    found = report(lambda on_start: _findings(contexts, on_start, removed=removed), as_json=as_json, quiet=quiet)
    # What could not be read after a removal may still serve.
    if found[Verdict.FAILED] or (removed and found[Verdict.WARNING]):
        raise typer.Exit(WRONG)


def _findings(contexts: list[CheckContext], on_start: Callable[[str], None], *, removed: bool) -> Iterator[Finding]:
    on_start("charts")
    # Importing the charts' library takes seconds. A wrong command line must not wait for it.
    from cli.doctor.checks import all_checks  # noqa: PLC0415
    from cli.doctor.examination import examine_all  # noqa: PLC0415
    from cli.doctor.removal import removal_checks  # noqa: PLC0415

    checks = all_checks()
    yield from examine_all(removal_checks(checks) if removed else checks, contexts, on_start)
