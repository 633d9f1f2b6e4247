"""`frontdoor check`: examine an account and a cluster before a deployment."""

from collections.abc import Callable, Iterator

import typer

from cli.account.clients import session
from cli.doctor.context import CheckContext, contexts_of
from cli.doctor.finding import Finding, Verdict
from cli.doctor.report import report
from cli.exit_status import WRONG
from cli.options import CONFIG, Configs, Json, Profile, Quiet, Timeout
from cli.settings_file import read_all


def check(
    *,
    config: Configs = CONFIG,
    profile: Profile = None,
    timeout: Timeout = 10.0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Check whether a deployment would succeed.

    It looks at the settings, the account and the cluster, and changes nothing. It prints one line for each finding:

    \b
        ok    the deployment has what it needs
        warn  it may succeed, but you should act, or you have no right to read this
        FAIL  the deployment, or pulls after it, would fail
        skip  not checked, and why

    With a folder it checks one environment after the other, and names each in its lines.

    The exit status is 1 when a check failed. docs/operations.md describes the checks.
    """  # noqa: D301 - click reads the backspace: the lines after it stay as they are
    contexts = contexts_of(read_all(config), lambda region: session(profile, region), timeout_seconds=timeout)
    found = report(lambda on_start: _findings(contexts, on_start), as_json=as_json, quiet=quiet)
    if found[Verdict.FAILED]:
        raise typer.Exit(WRONG)


def _findings(contexts: list[CheckContext], on_start: Callable[[str], None]) -> Iterator[Finding]:
    on_start("settings")
    # Importing the charts' library takes seconds. A wrong settings file must not wait for it.
    from cli.doctor.examination import examine_all  # noqa: PLC0415
    from cli.preflight.checks import all_checks  # noqa: PLC0415

    yield from examine_all(all_checks(), contexts, on_start)
