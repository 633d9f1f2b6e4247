"""`frontdoor refresh`: run the Lambda, and show its report."""

from typing import Annotated, Any

import typer

from cli.exit_status import WRONG
from cli.options import CONFIG, Config, Json, Profile
from cli.settings_file import read
from cli.stack_function import REFRESHER, StackFunction, show
from lambda_fn.contract.errors import SettingsError
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
    if canary and (others := [f"--{name.replace('_', '-')}" for name in options if name != "canary"]):
        raise SettingsError(f"--canary is a run of its own. Fix: leave out {' and '.join(others)}")
    settings = read(config)
    function = StackFunction(stack_name(settings), REFRESHER, _LONGEST_RUN_SECONDS)
    returned, has_failed = function.invoke(options, profile=profile, region=settings.cluster.region)
    show(returned, _lines, has_failed=has_failed, as_json=as_json)
    if canary and not returned["canary"]["succeeded"]:
        raise typer.Exit(WRONG)


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
