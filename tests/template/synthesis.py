"""The CloudFormation template of a configuration, synthesized once in a test session, with cdk-nag."""

import functools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from lambda_fn.settings import Settings
from stacks.frontdoor_stack import FrontdoorStack
from tests.template import configurations

Resource = Mapping[str, Any]
_CONTEXT = json.loads((configurations.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
# Nothing is installed: one test makes the real bundle.
_NO_BUNDLING: dict[str, list[str]] = {"aws:cdk:bundling-stacks": []}


def synthesize(settings: Settings, *, and_add: Callable[[cdk.Stack], object] | None = None) -> dict[str, Any]:
    """The template, with what `and_add` adds to the stack.

    Raises:
        RuntimeError: cdk-nag has a finding that is not acknowledged.
    """
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(
            context=_CONTEXT | _NO_BUNDLING,
            outdir=folder,
            builtin_cloud_formation_validation=False,
            analytics_reporting=False,
        )
        stack = FrontdoorStack(app, "EcrFrontdoor", settings=settings)
        if and_add:
            and_add(stack)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()
        text = (Path(folder) / "EcrFrontdoor.template.json").read_text(encoding="utf-8")
    template: dict[str, Any] = json.loads(text)
    return template


@functools.cache
def template(name: str) -> dict[str, Any]:
    return synthesize(configurations.settings(name))


def resources(name: str, kind: str) -> dict[str, Resource]:
    found = template(name)["Resources"]
    return {logical_id: resource for logical_id, resource in found.items() if resource["Type"] == kind}


def only(name: str, kind: str, start: str = "") -> Resource:
    """The properties of the only resource of a type whose logical id begins with `start`."""
    (found,) = (r["Properties"] for logical_id, r in resources(name, kind).items() if logical_id.startswith(start))
    properties: Resource = found
    return properties


def logical_id(name: str, kind: str, start: str = "") -> str:
    (found,) = (logical_id for logical_id in resources(name, kind) if logical_id.startswith(start))
    return found


def role_statements(name: str) -> Iterator[tuple[str, Resource]]:
    """Every statement of every identity policy, with the role that has it."""
    for role_id, role in resources(name, "AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            yield from ((role_id, statement) for statement in policy["PolicyDocument"]["Statement"])
    for policy in resources(name, "AWS::IAM::Policy").values():
        for role in policy["Properties"]["Roles"]:
            yield from ((role["Ref"], statement) for statement in policy["Properties"]["PolicyDocument"]["Statement"])


def plain(value: Any) -> str:  # noqa: ANN401 - any CloudFormation value
    """A CloudFormation value as text: `arn:aws:eks:eu-west-1:${AWS::AccountId}:cluster/shared`."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(plain, parts))
        case {"Fn::Sub": text}:
            return str(text)
        case _:
            return str(value)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - IAM allows one or many
    return value if isinstance(value, list) else [value]


def readable(statement: Resource) -> dict[str, Any]:
    """A policy statement with its resources as text."""
    key = "NotResource" if "NotResource" in statement else "Resource"
    return dict(statement) | {key: [plain(resource) for resource in listed(statement[key])]}
