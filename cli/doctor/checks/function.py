"""Whether the Lambda functions can run, and whether they have the settings of this file."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.stack_resources import DELETED_HINT, REFRESHER_FUNCTION
from cli.shortened import shortened
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.runtime import SETTINGS_METADATA
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import parse_json, to_json

_SHOWN = 5


def run(context: CheckContext) -> Iterator[Finding]:
    """The functions with the settings; those of CDK have none."""
    client = context.client("lambda")
    seen = False
    for kind, logical_id, name in context.stack.ids:
        if kind != "AWS::Lambda::Function":
            continue
        configuration = get_or_none(client.get_function_configuration, FunctionName=name)
        if configuration is None:
            seen |= logical_id.startswith(REFRESHER_FUNCTION)
            yield failed(f"function {name} does not exist any more", DELETED_HINT)
            continue
        deployed = context.template["Resources"].get(logical_id, {}).get("Metadata", {}).get(SETTINGS_METADATA)
        if deployed is not None:
            seen |= logical_id.startswith(REFRESHER_FUNCTION)
            yield _compare_settings(context.settings, name, deployed)
            yield from _state(name, configuration)
    if not seen:
        yield failed("the stack has no function that refreshes the token", "deploy")


def _compare_settings(settings: Settings, name: str, text: str) -> Finding:
    try:
        deployed = parse_json(text, f"the settings of function {name}")
    except SettingsError:
        return warning(f"function {name} is of another version: this checkout cannot parse its settings", "deploy")
    ours = parse_json(to_json(settings), "this file")  # without what the Lambda does not need
    if deployed == ours:
        return ok(f"function {name} has the settings of this file")
    changed = [*differing_keys(ours.model_dump(), deployed.model_dump())]
    return warning(
        f"the settings of function {name} differ from this file in {shortened(changed, _SHOWN)}",
        "deploy, or name the file that was deployed with --config PATH",
    )


def differing_keys(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys in which two settings differ, as the file writes them."""
    for key in sorted(ours.keys() | theirs.keys()):
        our, their = ours.get(key), theirs.get(key)
        if isinstance(our, Mapping) and isinstance(their, Mapping):
            yield from differing_keys(our, their, f"{prefix}{key}.")
        elif our != their:
            yield f"{prefix}{key}"


def _state(name: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""
    if configuration.get("State") == "Failed" or configuration.get("LastUpdateStatus") == "Failed":
        reason = (
            configuration.get("StateReason") or configuration.get("LastUpdateStatusReason") or "AWS gives no reason"
        )
        yield failed(
            f"function {name} cannot run: {reason}", "correct the reason (often a subnet, a role or a key) and deploy"
        )


CHECK = Check("function", Category.AWS, run, needs=("stack",))
