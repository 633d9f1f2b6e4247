"""The stack as CloudFormation makes it: what moto can, then the rest in the order of the dependencies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.deployment import cdk
from sandbox.deployment.functions import Assets
from sandbox.deployment.performed import Performer, Properties
from sandbox.deployment.stand_in import Adapted, resolve
from sandbox.installation import session
from sandbox.world import World


@dataclass
class Stack:
    """The deployed stack.

    Attributes:
        name: CloudFormation's name of it.
        performer: Does what moto cannot.
    """

    world: World
    name: str
    performer: Performer = field(init=False)

    def __post_init__(self) -> None:
        self.performer = Performer(self.world)

    def deploy(self, folder: Path, adapted: Adapted) -> None:
        """Deploy a synthesis for the first time.

        Raises:
            SandboxError: It failed; what was made stays as it is.
        """
        cdk.deploy(self.world, folder)
        assets = self.assets()
        for name, kind, properties in self._performed(adapted):
            self.performer.create(name, kind, properties, assets)

    def assets(self) -> Assets:
        """The code of the stack as CloudFormation holds it."""
        cloudformation = session(self.world, "default").client("cloudformation")
        listed = cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        resources: Mapping[str, Any] = cloudformation.get_template(StackName=self.name)["TemplateBody"]["Resources"]
        made = [found for found in listed if "PhysicalResourceId" in found]
        return Assets(resources, {found["PhysicalResourceId"]: found["LogicalResourceId"] for found in made})

    def _performed(self, adapted: Adapted) -> Iterator[tuple[str, str, Properties]]:
        described = session(self.world, "default").client("cloudformation").describe_stacks(StackName=self.name)
        outputs = {found["OutputKey"]: found["OutputValue"] for found in described["Stacks"][0].get("Outputs", [])}
        for name, resource in adapted.performed.items():
            properties = {
                key: resolve(value, outputs) for key, value in resource["Properties"].items() if key != "ServiceToken"
            }
            yield name, resource["Type"], properties
