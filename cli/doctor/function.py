"""The Lambda function: its settings beside this file's, and whether it can run."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.site import Site
from cli.doctor.stack import GONE, Resources
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import ENVIRONMENT_NAME, Settings, parse_environment, to_environment

_CHECK = "function"
_DEPLOY = "deploy, or give the file it was deployed with: --config PATH"
_SHOWN = 5


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """The function that has settings; CDK's own have none."""
    client = site.aws.client("lambda", config=site.briefly)
    seen = False
    for name in found.of("AWS::Lambda::Function"):
        configuration = known(client.get_function_configuration, FunctionName=name)
        if configuration is None:
            seen = True
            yield failure(_CHECK, f"{name} is gone", GONE)
            continue
        variables = configuration.get("Environment", {}).get("Variables", {})
        if ENVIRONMENT_NAME in variables:
            seen = True
            yield _settings(site.settings, name, variables)
            yield from _state(name, configuration)
    if not seen:
        yield failure(_CHECK, "the stack has no function with settings", "deploy")


def _settings(settings: Settings, name: str, variables: Mapping[str, str]) -> Finding:
    if to_environment(settings).items() <= variables.items():
        return fine(_CHECK, f"{name} runs with this settings file")
    try:
        deployed = parse_environment(variables)
    except SettingsError:
        return warning(
            _CHECK, f"{name} has settings that this checkout does not know: it is of another version", "deploy"
        )
    changed = [*differing(settings.model_dump(), deployed.model_dump())]
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return warning(
        _CHECK, f"{name} runs with other settings than this file: {', '.join(changed[:_SHOWN])}{more}", _DEPLOY
    )


def differing(ours: Mapping[str, Any], theirs: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """The keys of two settings that differ, as the file writes them."""
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key), theirs.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from differing(one, other, f"{within}{key}.")
        elif one != other:
            yield f"{within}{key}"


def _state(name: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""
    if configuration.get("State") == "Failed" or configuration.get("LastUpdateStatus") == "Failed":
        why = configuration.get("StateReason") or configuration.get("LastUpdateStatusReason") or "AWS does not say why"
        yield failure(
            _CHECK, f"{name} cannot run: {why}", "correct what it says (often subnets, a role or a key), and deploy"
        )
