"""Conditions of MiniStack's CloudFormation: AWS::AccountId and the like, which its evaluation takes for mere texts."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack.services.cloudformation import changesets, handlers, stacks

from testbed.sandbox.world import World

Parameters = Mapping[str, Mapping[str, str]]
Evaluate = Callable[[dict[str, Any], Parameters], dict[str, bool]]


def register(world: World) -> None:
    """Give every condition the pseudo parameters.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """
    values = {
        "AWS::AccountId": world.account,
        "AWS::Partition": "aws",
        "AWS::Region": world.region,
        "AWS::URLSuffix": "amazonaws.com",
    }
    known = {name: {"Value": value} for name, value in values.items()}
    for module in (changesets, handlers, stacks):
        module._evaluate_conditions = partial(_evaluate, module._evaluate_conditions, known)


def _evaluate(
    wrapped: Evaluate, known: Parameters, template: dict[str, Any], parameters: Parameters
) -> dict[str, bool]:
    return wrapped(template, {**known, **parameters})
