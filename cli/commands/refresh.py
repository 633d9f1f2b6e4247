"""`frontdoor refresh`: run the Lambda, and show its report."""

import json
import sys
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.account.clients import client, session
from cli.account.invocation import REFRESHER, failure, function_of, invoke
from cli.doctor.aws_calls import error_text
from cli.exit_status import WRONG
from cli.options import CONFIG, Config, Json, Profile
from cli.settings_file import read
from cli.terminal import console
from lambda_fn.job import event
from stacks.stack_name import stack_name

_LONGEST_RUN_SECONDS = 900
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def refresh(  # noqa: PLR0913 - options of a command line
    *,
    config: Config = CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: report what a refresh would change.")
    ] = False,
    force_rollout: Annotated[
        bool, typer.Option("--force-rollout", help="Replace every proxy pod, although nothing changed.")
    ] = False,
    purge_cache: Annotated[
        bool, typer.Option("--purge-cache", help="Replace every proxy pod, and its cache with it.")
    ] = False,
    canary: Annotated[
        bool, typer.Option("--canary", help="Only pull the image of [canary] through the domain.")
    ] = False,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Run the Lambda now, and show its report.

    It gets a new token, renders the configuration, and replaces the pods one by one if that changed. No pull is
    interrupted. Your AWS identity needs lambda:InvokeFunction and cloudformation:DescribeStacks.

    The exit status is 1 when the run failed.
    """
    chosen = {"dry_run": dry_run, "force_rollout": force_rollout, "purge_cache": purge_cache, "canary": canary}
    options = {name: True for name, is_chosen in chosen.items() if is_chosen}
    event.parse(options)
    settings = read(config)
    aws = session(profile, settings.cluster.region)
    try:
        stack = stack_name(settings)
        name = function_of(client(aws, "cloudformation", timeout_seconds=10), stack=stack, output=REFRESHER)
        function = client(aws, "lambda", timeout_seconds=_LONGEST_RUN_SECONDS, attempts=1)
        with console(sys.stderr).status(f"waiting for {name}"):
            answer, has_failed = invoke(function, name, options)
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"frontdoor: AWS refused or did not answer: {error_text(error)}", err=True)
        raise typer.Exit(WRONG) from error
    _report(answer, has_failed=has_failed, as_json=as_json)
    if has_failed or (canary and not answer["canary"]["succeeded"]):
        raise typer.Exit(WRONG)


def _report(answer: dict[str, Any], *, has_failed: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    if has_failed:
        typer.echo(failure(answer), err=True)
        return
    for line in _lines(answer):
        typer.echo(line)


def _lines(answer: dict[str, Any]) -> list[str]:
    """The report for a person, by the keys of `lambda_fn.job.report.Report`."""
    lines = []
    if "expires_at" in answer:
        would = "would write" if answer["dry_run"] else "wrote"
        lines.append(f"tokens       of {', '.join(answer['hosts'])}, valid until {answer['expires_at']}")
        lines.append(f"{would:<12} {', '.join(answer['changed']) or 'nothing'}")
        lines.append(f"rollout      {_rollout(answer)}")
        lines += [f"took back    {field}" for field in answer["taken_over"]]
        lines += [f"warning      {warning}" for warning in answer["warnings"]]
    if pulled := answer.get("canary"):
        result = f"pulled in {pulled['seconds']} s" if pulled["succeeded"] else f"FAILED: {pulled['message']}"
        lines.append(f"canary       {result}")
    return lines


def _rollout(answer: dict[str, Any]) -> str:
    ready = f"{answer['pods_ready']} of {answer['pods_wanted']} pods ready"
    if not answer["rolled_out"]:
        return f"none; {ready}"
    replaced = "would replace" if answer["dry_run"] else "replaced"
    purged = ", and purge their caches" if answer["dry_run"] else ", and purged their caches"
    return f"{replaced} the pods{purged if answer['cache_purged'] else ''}; {ready}"
