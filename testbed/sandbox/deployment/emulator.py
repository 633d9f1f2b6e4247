"""Creates the resources that moto cannot, from their properties in the template, as CloudFormation would."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.sandbox.access import revoke_access
from testbed.sandbox.deployment import entries, functions
from testbed.sandbox.deployment.changes import Request
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import session
from testbed.sandbox.lambda_runtime import Invocation
from testbed.sandbox.world import World

Properties = Mapping[str, Any]


@dataclass
class Emulator:
    """Creates, updates and deletes the resources removed from the template.

    Attributes:
        runs: Every run of the refresher that a deployment started.
    """

    world: World
    runs: list[Invocation] = field(default_factory=list)

    def apply(self, request: Request, name: str, kind: str, properties: Properties, assets: functions.Assets) -> str:
        """Create, update or delete one resource, which `name` is the logical id of.

        Returns:
            Its physical id.

        Raises:
            SandboxError: It failed, and so has the deployment.
        """
        match kind:
            case "AWS::EKS::AccessEntry":
                return self._access_entry(request, properties)
            case "AWS::Scheduler::ScheduleGroup":
                return self._schedule_group(request, properties)
            case "AWS::Scheduler::Schedule":
                self._schedule(request, name, properties)
            case "AWS::CloudWatch::Alarm":
                self._alarm(request, name, properties)
            case "Custom::AWSCDK-EKS-KubernetesResource":
                self._manifest(request, properties, assets)
            case "Custom::Trigger" if request != "Delete":
                self._trigger(assets)
        return name

    def _access_entry(self, request: Request, properties: Properties) -> str:
        if request == "Delete":
            revoke_access(self.world, properties["PrincipalArn"])
        else:
            entries.grant(self.world, properties)
        return f"{properties['ClusterName']}|{properties['PrincipalArn']}"

    # In Scheduler and CloudWatch the API's parameters have the names of CloudFormation's properties.
    def _schedule_group(self, request: Request, properties: Properties) -> str:
        scheduler = session(self.world, "default").client("scheduler")
        change = scheduler.delete_schedule_group if request == "Delete" else scheduler.create_schedule_group
        change(**properties)
        return str(properties["Name"])

    def _schedule(self, request: Request, name: str, properties: Properties) -> None:
        scheduler = session(self.world, "default").client("scheduler")
        match request:
            case "Create":
                scheduler.create_schedule(Name=name, **properties)
            case "Update":
                scheduler.update_schedule(Name=name, **properties)
            case "Delete":
                scheduler.delete_schedule(Name=name, GroupName=properties["GroupName"])

    def _alarm(self, request: Request, name: str, properties: Properties) -> None:
        cloudwatch = session(self.world, "default").client("cloudwatch")
        if request == "Delete":
            cloudwatch.delete_alarms(AlarmNames=[name])
        else:
            cloudwatch.put_metric_alarm(AlarmName=name, **properties)

    def _manifest(self, request: Request, properties: Properties, assets: functions.Assets) -> None:
        kubectl = assets.physical("WorkloadKubectlHandler")
        event = {
            "RequestType": request,
            "RequestId": str(uuid.uuid4()),
            "ResourceType": "Custom::AWSCDK-EKS-KubernetesResource",
            "ResourceProperties": _as_text(properties),
        }
        done = functions.call(self.world, assets, kubectl, event, native_parts=False)
        if done.error:
            raise SandboxError(f"the manifest was not applied: {done.error['errorMessage']}")

    def _trigger(self, assets: functions.Assets) -> None:
        # The template names a version of the function. moto has no physical id for it, and publishes it before the
        # function is updated. So the function itself runs.
        done = functions.call(self.world, assets, assets.physical("RefresherFunction"), {}, native_parts=True)
        self.runs.append(done)
        if done.error:
            raise SandboxError(f"the run of the deployment failed: {done.error['errorMessage']}")


def _as_text(properties: Properties) -> Properties:
    """Custom resources get every scalar as a string: `true` arrives as `"true"`."""
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in properties.items()}
