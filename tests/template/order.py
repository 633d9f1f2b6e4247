"""The order in which CloudFormation makes and changes the resources of a template."""

from collections.abc import Mapping
from typing import Any

from tests.template.synthesis import listed


def needed_by(resources: Mapping[str, Any], start: str) -> set[str]:
    """The resources that a resource depends on, directly or not: created before it, deleted after it."""
    found: set[str] = set()
    left = [start]
    while left:
        for needed in _references(resources[left.pop()]) & set(resources) - found:
            found.add(needed)
            left.append(needed)
    return found


def _references(node: Any) -> set[str]:  # noqa: ANN401 - any part of a template
    match node:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, _]}:
            return {name}
        case dict():
            named = set(listed(node.get("DependsOn", [])))
            return named.union(*(_references(value) for key, value in node.items() if key != "DependsOn"))
        case list():
            return set().union(*map(_references, node))
        case _:
            return set()
