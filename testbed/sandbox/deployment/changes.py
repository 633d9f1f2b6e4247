"""The steps by which CloudFormation updates one set of resources to another. Pure.

It looks at a resource's properties as they are written: one that refers to another has changed when it refers to
another logical id. Resources that are no longer wanted are deleted last, after all others have succeeded.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Request = Literal["Create", "Update", "Delete"]
Resources = Mapping[str, Mapping[str, Any]]
"""Logical id -> resource, in the order of their dependencies."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The steps of an update.

    Attributes:
        requests: Logical id -> what is done, in order; what stays as it is, is not in it.
        removed: What is deleted afterwards, in order.
    """

    requests: Mapping[str, Request]
    removed: tuple[str, ...]


def changes(before: Resources, wanted: Resources) -> Changes:
    """From `before`, which is empty for a new stack, to `wanted`."""
    requests: dict[str, Request] = {
        name: "Update" if name in before else "Create"
        for name, resource in wanted.items()
        if name not in before or resource.get("Properties") != before[name].get("Properties")
    }
    return Changes(requests, tuple(name for name in reversed(list(before)) if name not in wanted))
