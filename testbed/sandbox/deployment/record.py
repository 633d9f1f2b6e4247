"""The emulated resources of a deployment, which the double of CloudFormation lists."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as it is in force.

    Attributes:
        kind: CloudFormation's type.
        properties: With every expression resolved, so that it can be deleted or restored.
        physical_id: What CloudFormation would call it.
    """

    kind: str
    properties: Mapping[str, Any] = field(repr=False)
    physical_id: str


def write(world: World, stack: str, made: Mapping[str, Made]) -> None:
    """Replace what was recorded."""
    listed = {name: {"kind": one.kind, "physical_id": one.physical_id} for name, one in made.items()}
    draft = world.emulated_file.with_suffix(".new")
    draft.write_text(json.dumps({stack: listed}))
    draft.replace(world.emulated_file)


def read(world: World, stack: str) -> Mapping[str, Mapping[str, str]]:
    """Logical id -> `kind` and `physical_id` of a stack; nothing where nothing was recorded."""
    if not world.emulated_file.exists():
        return {}
    found: Mapping[str, Mapping[str, str]] = json.loads(world.emulated_file.read_text()).get(stack, {})
    return found
