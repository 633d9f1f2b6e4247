"""Every change of a template for moto, in this one place. Pure.

`testbed/docs/testing.md` has the same list. A type that neither moto nor this module knows is an error: moto would
skip it with a warning, and an incomplete deployment would look complete.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.sandbox.errors import SandboxError

EMULATED = {
    "AWS::EKS::AccessEntry": "moto has no access entries: written where the real authenticator reads them",
    "AWS::Scheduler::ScheduleGroup": "moto's CloudFormation lacks it: created through Scheduler's API",
    "AWS::Scheduler::Schedule": "moto's CloudFormation lacks it: created through Scheduler's API",
    "AWS::CloudWatch::Alarm": "moto's CloudFormation lacks it: created through CloudWatch's API",
    "Custom::AWSCDK-EKS-KubernetesResource": "moto cannot run functions: the uploaded one runs here, with its layers",
    "Custom::Trigger": "moto cannot run functions: the uploaded one runs here",
}
"""Type -> why `testbed.sandbox.deployment.emulator` creates it instead of moto. They are removed from the template."""

IGNORED = {
    "AWS::SQS::QueuePolicy": "moto's CloudFormation lacks it, and nothing here sends to the queue",
    "AWS::Lambda::EventInvokeConfig": "moto's CloudFormation lacks it, and nothing here is invoked asynchronously",
}
"""Type -> why it is removed from the template and not emulated."""

_OUTPUT = "Emulation"


@dataclass(frozen=True)
class Adapted:
    """A template for moto, and the resources removed from it.

    Attributes:
        template: The template for moto.
        emulated: Logical id -> resource, in the order CloudFormation would make them; its expressions are names of
            outputs of `template`, so that it is moto that resolves them: see `resolve`.
        synthesized: The same resources as synthesized, to compare with the next synthesis.
        altered: One line for each removed type, to print.
    """

    template: Mapping[str, Any]
    emulated: Mapping[str, Mapping[str, Any]]
    synthesized: Mapping[str, Mapping[str, Any]]
    altered: tuple[str, ...]


def adapt(template: Mapping[str, Any], knows: Callable[[str], bool]) -> Adapted:
    """Remove from a template what moto cannot create.

    Args:
        template: As synthesized; it is left as it is.
        knows: Whether moto's CloudFormation can create a type.

    Raises:
        SandboxError: Neither moto nor this module knows one of its types.
    """
    left = copy.deepcopy(dict(template))
    resources = left["Resources"]
    aside = {**EMULATED, **IGNORED}
    types = {resource["Type"] for resource in resources.values()}
    if unknown := sorted(kind for kind in types - set(aside) if not knows(kind)):
        raise SandboxError(
            f"moto cannot create {', '.join(unknown)}. Fix: add it to testbed/sandbox/deployment/emulation.py and to "
            "testbed/docs/testing.md"
        )
    out = {name: resources.pop(name) for name in list(resources) if resources[name]["Type"] in aside}
    for resource in resources.values():
        _cut(resource, out)
    expressions: dict[str, Any] = {}
    emulated = {
        name: out[name] | {"Properties": _named(out[name]["Properties"], expressions, out)}
        for name in _ordered(out)
        if out[name]["Type"] in EMULATED
    }
    left["Outputs"] = left.get("Outputs", {}) | {name: {"Value": value} for name, value in expressions.items()}
    altered = tuple(f"{kind}: {aside[kind]}" for kind in sorted(types & set(aside)))
    return Adapted(left, emulated, {name: out[name] for name in emulated}, altered)


def resolve(value: Any, outputs: Mapping[str, str]) -> Any:  # noqa: ANN401 - a CloudFormation value
    """A property of a emulated resource, with what moto put into the outputs in the place of its expressions."""
    match value:
        case {"Output": name}:
            return outputs[name]
        case _:
            return _inside(value, lambda item: resolve(item, outputs))


def _cut(resource: dict[str, Any], out: Mapping[str, Any]) -> None:
    """Remove references to removed resources; their name replaces Ref and attributes."""
    wanted = resource.pop("DependsOn", [])
    if kept := [name for name in ([wanted] if isinstance(wanted, str) else wanted) if name not in out]:
        resource["DependsOn"] = kept
    resource["Properties"] = _without(resource.get("Properties", {}), out)


def _ref(name: str, out: Mapping[str, Any]) -> str:
    """What a Ref to it gives: the name of a schedule group; nothing refers to another."""
    given: str = out[name].get("Properties", {}).get("Name", name)
    return given


def _without(value: Any, out: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a CloudFormation value
    match value:
        case {"Ref": name} if name in out:
            return _ref(name, out)
        case {"Fn::GetAtt": [name, _]} if name in out:
            return name
        case _:
            return _inside(value, lambda item: _without(item, out))


def _named(value: Any, expressions: dict[str, Any], out: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
    """The value with the name of an output instead of each expression."""
    match value:
        case {"Ref": name} if name in out:
            return _ref(name, out)
        case dict() if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            wanted = _without(value, out)
            known = {json.dumps(expression, sort_keys=True): name for name, expression in expressions.items()}
            name = known.get(json.dumps(wanted, sort_keys=True), f"{_OUTPUT}{len(expressions)}")
            expressions[name] = wanted
            return {"Output": name}
        case _:
            return _inside(value, lambda item: _named(item, expressions, out))


def _inside(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - as above
    """The value with each member of a mapping or a list changed."""
    match value:
        case dict():
            return {key: change(item) for key, item in value.items()}
        case list():
            return [change(item) for item in value]
        case _:
            return value


def _ordered(out: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The names, each after those it depends on."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        wanted = out[name].get("DependsOn", [])
        named = {wanted} if isinstance(wanted, str) else set(wanted)
        for other in out:
            if other in named or f'"{other}"' in json.dumps(out[name].get("Properties", {})):
                yield from visit(other)
        yield name

    for name in out:
        yield from visit(name)
