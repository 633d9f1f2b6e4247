"""What is altered in a template so that moto can take it: all of it, in this one place. Pure.

`testbed/docs/testing.md` lists the same. A type that moto does not know and that is not named here is an error:
moto itself passes it over with a warning, and a deployment would look complete that is not.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.sandbox.errors import SandboxError

PERFORMED = {
    "AWS::EKS::AccessEntry": "moto has no access entries: written where the real authenticator reads them",
    "AWS::Scheduler::ScheduleGroup": "moto's CloudFormation lacks it: made through Scheduler's API",
    "AWS::Scheduler::Schedule": "moto's CloudFormation lacks it: made through Scheduler's API",
    "AWS::CloudWatch::Alarm": "moto's CloudFormation lacks it: made through CloudWatch's API",
    "Custom::AWSCDK-EKS-KubernetesResource": "moto cannot run functions: the uploaded one runs here, with its layers",
    "Custom::Trigger": "moto cannot run functions: the uploaded one runs here",
}
"""Types taken out of the template and done by `testbed.sandbox.deployment.performed` instead; and why."""

PASSED_OVER = {
    "AWS::SQS::QueuePolicy": "moto's CloudFormation lacks it, and nothing here sends to the queue",
    "AWS::Lambda::EventInvokeConfig": "moto's CloudFormation lacks it, and nothing here is invoked asynchronously",
}
"""Types that nothing here does; and why that is no loss."""

_OUTPUT = "StandIn"


@dataclass(frozen=True)
class Adapted:
    """A template for moto, and what was taken out of it.

    Attributes:
        template: What CloudFormation's double is given.
        performed: Logical id -> resource, in the order CloudFormation would make them; its expressions are names of
            outputs of `template`, so that it is moto that resolves them: see `resolve`.
        synthesized: The same resources as they were, by which a change is told.
        altered: One line for each type, for people.
    """

    template: Mapping[str, Any]
    performed: Mapping[str, Mapping[str, Any]]
    synthesized: Mapping[str, Mapping[str, Any]]
    altered: tuple[str, ...]


def adapt(template: Mapping[str, Any], knows: Callable[[str], bool]) -> Adapted:
    """The template without what moto cannot do.

    Args:
        template: As synthesized; it is left as it is.
        knows: Whether moto's CloudFormation knows a type.

    Raises:
        SandboxError: It has a type that moto does not know and that this module says nothing about.
    """
    left = copy.deepcopy(dict(template))
    resources = left["Resources"]
    aside = {**PERFORMED, **PASSED_OVER}
    types = {resource["Type"] for resource in resources.values()}
    if unknown := sorted(kind for kind in types - set(aside) if not knows(kind)):
        raise SandboxError(
            f"moto does not know {', '.join(unknown)}: say in testbed/sandbox/deployment/stand_in.py and "
            "testbed/docs/testing.md what stands in for it"
        )
    out = {name: resources.pop(name) for name in list(resources) if resources[name]["Type"] in aside}
    for resource in resources.values():
        _cut(resource, out)
    expressions: dict[str, Any] = {}
    performed = {
        name: out[name] | {"Properties": _named(out[name]["Properties"], expressions, out)}
        for name in _ordered(out)
        if out[name]["Type"] in PERFORMED
    }
    left["Outputs"] = left.get("Outputs", {}) | {name: {"Value": value} for name, value in expressions.items()}
    altered = tuple(f"{kind}: {aside[kind]}" for kind in sorted(types & set(aside)))
    return Adapted(left, performed, {name: out[name] for name in performed}, altered)


def resolve(value: Any, outputs: Mapping[str, str]) -> Any:  # noqa: ANN401 - a CloudFormation value
    """A property of a performed resource, with what moto put into the outputs in the place of its expressions."""
    match value:
        case {"Output": name}:
            return outputs[name]
        case _:
            return _inside(value, lambda item: resolve(item, outputs))


def _cut(resource: dict[str, Any], out: Mapping[str, Any]) -> None:
    """Take away what refers to a resource that is not there; the name stands for its Ref and attributes."""
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
    """The value with an output's name in the place of every expression."""
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
