"""Whether ECR's events reach the watcher."""

from collections.abc import Iterator

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok, skipped, warning
from cli.doctor.stack_resources import DELETED_HINT, EVENTS_RULE, WATCHER_SOURCE
from lambda_fn.settings.registry import by_place

_MAPPING = "AWS::Lambda::EventSourceMapping"
_CONSEQUENCE = "pods serve images that ECR deletes"
_ENABLE = "enable it (a deployment does not see the change); CloudTrail has who disabled it"


def run(context: CheckContext) -> Iterator[Finding]:
    """The rule that takes the events, then the event source mapping that starts the function with them."""
    if not context.settings.has_watcher:
        yield skipped("watcher.deletions and page.catalogue are false")
        return
    stack = context.stack
    rules, mappings = stack.of("AWS::Events::Rule", EVENTS_RULE), stack.of(_MAPPING, WATCHER_SOURCE)
    if not (rules and mappings):
        yield warning(f"the stack has no watcher: {_CONSEQUENCE}", "deploy")
        return
    yield from _rule(context, rules[0])
    yield _mapping(context, mappings[0])


def _rule(context: CheckContext, name: str) -> Iterator[Finding]:
    found = get_or_none(context.client("events").describe_rule, Name=name)
    if found is None:
        yield warning(f"rule {name} does not exist any more: {_CONSEQUENCE}", DELETED_HINT)
        return
    if found.get("State") != "ENABLED":
        yield warning(f"rule {name} of ECR's events is {found.get('State')}: {_CONSEQUENCE}", _ENABLE)
        return
    yield ok(f"rule {name} takes ECR's events")
    _, _, _, region, account, *_ = found["Arn"].split(":")
    for place in by_place(context.settings.registries):
        if place != (account, region):
            yield skipped(f"whether the events of {place[0]} in {place[1]} are forwarded to here")


def _mapping(context: CheckContext, uuid: str) -> Finding:
    """https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html , `State`."""
    found = get_or_none(context.client("lambda").get_event_source_mapping, UUID=uuid)
    if found is None:
        return warning(f"the event source mapping {uuid} does not exist any more: {_CONSEQUENCE}", DELETED_HINT)
    state = found.get("State")
    if state in {"Disabled", "Disabling"}:
        return warning(f"the event source mapping {uuid} of the watcher is {state}: {_CONSEQUENCE}", _ENABLE)
    reason = found.get("StateTransitionReason") or found.get("LastProcessingResult") or ""
    if "PROBLEM" in reason.upper():
        return warning(f"Lambda cannot take ECR's events from the queue: {reason}", "correct the role or the key of it")
    return ok(f"ECR's events start the watcher ({state})")


CHECK = Check("watcher", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#stop-serving-an-image")
