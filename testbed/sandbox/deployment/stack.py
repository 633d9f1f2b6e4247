"""The stack as CloudFormation treats it: created, updated, rolled back after a failure, deleted.

moto acts first, then `emulator` on the other resources, in dependency order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.sandbox.deployment import cdk, record
from testbed.sandbox.deployment.changes import Request, changes
from testbed.sandbox.deployment.emulation import Adapted, resolve
from testbed.sandbox.deployment.emulator import Emulator, Properties
from testbed.sandbox.deployment.functions import Assets
from testbed.sandbox.deployment.record import Made
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import session
from testbed.sandbox.world import World


class RolledBackError(SandboxError):
    """A deployment failed, and the earlier one is in force again."""


@dataclass(frozen=True)
class Deployment:
    """One synthesis: its folder, and what was altered in it."""

    folder: Path
    adapted: Adapted


@dataclass
class Stack:
    """The deployed stack.

    Attributes:
        name: CloudFormation's name of it.
        emulator: Creates what moto cannot.
        current: The deployment in force; None before the first and after `destroy`.
        made: Logical id -> what is in force of the resources that moto cannot make, in the order they were made.
    """

    world: World
    name: str
    emulator: Emulator = field(init=False)
    current: Deployment | None = None
    made: dict[str, Made] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.emulator = Emulator(self.world)

    def deploy(self, wanted: Deployment) -> None:
        """Deploy; after a failure, roll back.

        Raises:
            RolledBackError: It failed; the message is the reason.
            SandboxError: It failed without an earlier deployment, or the rollback failed as well.
        """
        before, made_before = self.current, dict(self.made)
        due = changes(before.adapted.synthesized if before else {}, wanted.adapted.synthesized)
        cdk.deploy(self.world, wanted.folder)
        assets, reached = self.assets(), []
        try:
            for name, kind, properties in self._emulated(wanted):
                if name in due.requests:
                    reached.append(name)
                    self._apply(due.requests[name], name, kind, properties, assets)
        except SandboxError as error:
            if before is None:
                raise
            self._roll_back(before, made_before, reached)
            raise RolledBackError(f"{error}; rolled back") from error
        self._delete(due.removed, assets)
        self.current = wanted
        record.write(self.world, self.name, self.made)

    def destroy(self) -> None:
        """Delete everything, in reverse order of creation.

        Raises:
            SandboxError: Something cannot be deleted.
        """
        if self.current is None:
            return
        self._delete(tuple(reversed(self.made)), self.assets())
        cdk.destroy(self.world, self.current.folder)
        self.current = None
        record.write(self.world, self.name, self.made)

    def assets(self) -> Assets:
        """The code of the stack as CloudFormation holds it."""
        cloudformation = session(self.world, "default").client("cloudformation")
        listed = cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        resources: Mapping[str, Any] = cloudformation.get_template(StackName=self.name)["TemplateBody"]["Resources"]
        made = [found for found in listed if "PhysicalResourceId" in found]
        return Assets(resources, {found["PhysicalResourceId"]: found["LogicalResourceId"] for found in made})

    def _roll_back(self, before: Deployment, made: Mapping[str, Made], reached: Sequence[str]) -> None:
        """Roll back as CloudFormation does: resources already reached are updated back, new ones are deleted."""
        cdk.put_back(self.world, self.name, before.folder)
        assets = self.assets()
        for name in reached:
            if name in made:
                self._apply("Update", name, made[name].kind, made[name].properties, assets)
        self._delete([name for name in reversed(reached) if name in self.made and name not in made], assets)

    def _apply(self, request: Request, name: str, kind: str, properties: Properties, assets: Assets) -> None:
        physical_id = self.emulator.apply(request, name, kind, properties, assets)
        self.made[name] = Made(kind, properties, physical_id)

    def _delete(self, names: Sequence[str], assets: Assets) -> None:
        for name in names:
            self.emulator.apply("Delete", name, self.made[name].kind, self.made[name].properties, assets)
            del self.made[name]

    def _emulated(self, deployment: Deployment) -> Iterator[tuple[str, str, Properties]]:
        described = session(self.world, "default").client("cloudformation").describe_stacks(StackName=self.name)
        outputs = {found["OutputKey"]: found["OutputValue"] for found in described["Stacks"][0].get("Outputs", [])}
        for name, resource in deployment.adapted.emulated.items():
            properties = {
                key: resolve(value, outputs) for key, value in resource["Properties"].items() if key != "ServiceToken"
            }
            yield name, resource["Type"], properties
