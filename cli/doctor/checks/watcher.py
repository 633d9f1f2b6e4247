"""Whether ECR's events reach the watcher."""

from collections.abc import Iterator
from typing import Any

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok, skipped, warning
from cli.doctor.stack_resources import DELETED_HINT, DELETIONS_RULE, EVENTS_RULE, WATCHER_SOURCE
from lambda_fn.settings.registry import by_place

_MAPPING, _RULE = "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"
_CONSEQUENCE = "pods serve images that ECR deletes, or the page shows old tags"
_ENABLE = "enable it (a deployment does not see the change); CloudTrail has who disabled it"


def run(context: CheckContext) -> Iterator[Finding]:
    """The rules that take the events, then the event source mappings that start the function with them."""
    if not context.settings.has_watcher:
        yield skipped("watcher.deletions and page.catalogue are false")
        return
    stack = context.stack
    rules = [*stack.of(_RULE, DELETIONS_RULE), *stack.of(_RULE, EVENTS_RULE)]
    mappings = stack.of(_MAPPING, WATCHER_SOURCE)
    wanted = 2 if context.settings.watcher.deletions else 1
    if min(len(rules), len(mappings)) < wanted:
        yield warning(f"the watcher of the stack lacks a rule or an event source mapping: {_CONSEQUENCE}", "deploy")
        return
    found = [get_or_none(context.client("events").describe_rule, Name=name) for name in rules]
    yield from map(_rule, rules, found)
    if found[0]:
        yield from _forwarded(context, found[0]["Arn"])
    for uuid in mappings:
        yield _mapping(context, uuid)


def _rule(name: str, found: dict[str, Any] | None) -> Finding:
    if found is None:
        return warning(f"rule {name} does not exist any more: {_CONSEQUENCE}", DELETED_HINT)
    if found.get("State") != "ENABLED":
        return warning(f"rule {name} of ECR's events is {found.get('State')}: {_CONSEQUENCE}", _ENABLE)
    return ok(f"rule {name} takes ECR's events")


def _forwarded(context: CheckContext, rule_arn: str) -> Iterator[Finding]:
    """What cannot be seen from here: the rules of other accounts and regions."""
    _, _, _, region, account, *_ = rule_arn.split(":")
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
