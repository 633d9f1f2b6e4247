"""The resources that moto cannot make: made here, from their properties in the template, as CloudFormation would."""

import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx2

from lambda_fn.eks import Eks
from sandbox.access import grant_access
from sandbox.deployment import functions
from sandbox.errors import SandboxError
from sandbox.installation import session, settings
from sandbox.lambda_runtime import Invocation
from sandbox.world import World

Properties = Mapping[str, Any]

_GROUPS = {"AmazonEKSClusterAdminPolicy": "system:masters"}
"""An access policy of EKS, as a group that Kubernetes itself knows."""
_KNOWN_WITHIN_SECONDS = 60
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass
class Performer:
    """Does what the template says of the resources taken out of it.

    Attributes:
        runs: Every run of the refresher that a deployment started.
    """

    world: World
    runs: list[Invocation] = field(default_factory=list)

    def create(self, name: str, kind: str, properties: Properties, assets: functions.Assets) -> None:
        """Create one resource, which `name` is the logical id of.

        Raises:
            SandboxError: It failed, and so has the deployment.
        """
        match kind:
            case "AWS::EKS::AccessEntry":
                self._access_entry(properties)
            case "AWS::Scheduler::ScheduleGroup":
                self._schedule_group(properties)
            case "AWS::Scheduler::Schedule":
                self._schedule(name, properties)
            case "Custom::AWSCDK-EKS-KubernetesResource":
                self._manifest(properties, assets)
            case "Custom::Trigger":
                self._trigger(assets)

    def _access_entry(self, properties: Properties) -> None:
        role = properties["PrincipalArn"]
        policies = [policy["PolicyArn"].rpartition("/")[2] for policy in properties.get("AccessPolicies", [])]
        groups = [*properties.get("KubernetesGroups", []), *(_GROUPS[policy] for policy in policies)]
        grant_access(self.world, role, groups)
        # In a real deployment the provider's functions are made meanwhile; kubectl itself does not wait.
        self._wait_until_known(role)

    def _wait_until_known(self, role_arn: str) -> None:
        """Wait until the authenticator has read the entry: it looks every few seconds."""
        given = functions.role_environment(self.world, role_arn)
        key_id, secret, token = (given[name] for name in _KEYS)
        role = boto3.Session(key_id, secret, token, region_name=self.world.region)
        access = Eks(settings(self.world), role.client("eks"), role.client("sts"))
        trust = ssl.create_default_context(cafile=str(self.world.ca.certificate))
        ends_at = time.monotonic() + _KNOWN_WITHIN_SECONDS
        with httpx2.Client(verify=trust) as client:
            while True:
                bearer = {"Authorization": f"Bearer {access.bearer().reveal()}"}
                if client.get(f"{self.world.api_url}/api", headers=bearer).is_success:
                    return
                if time.monotonic() > ends_at:
                    raise SandboxError(f"the API server does not know {role_arn}: see the log of the authenticator")
                time.sleep(1)

    # The API's parameters have the names of CloudFormation's properties.
    def _schedule_group(self, properties: Properties) -> None:
        session(self.world, "default").client("scheduler").create_schedule_group(**properties)

    def _schedule(self, name: str, properties: Properties) -> None:
        session(self.world, "default").client("scheduler").create_schedule(Name=name, **properties)

    def _manifest(self, properties: Properties, assets: functions.Assets) -> None:
        kubectl = assets.physical("WorkloadKubectlHandler")
        event = {
            "RequestType": "Create",
            "RequestId": str(uuid.uuid4()),
            "ResourceType": "Custom::AWSCDK-EKS-KubernetesResource",
            "ResourceProperties": _as_text(properties),
        }
        done = functions.call(self.world, assets, kubectl, event, native_parts=False)
        if done.error:
            raise SandboxError(f"the manifest was not applied: {done.error['errorMessage']}")

    def _trigger(self, assets: functions.Assets) -> None:
        # Of the version that the template names moto knows no physical id, and the version would lag behind: moto makes
        # it before it updates the function. So the function itself runs.
        done = functions.call(self.world, assets, assets.physical("RefresherFunction"), {}, native_parts=True)
        self.runs.append(done)
        if done.error:
            raise SandboxError(f"the first run failed: {done.error['errorMessage']}")


def _as_text(properties: Properties) -> Properties:
    """Custom resources get every scalar as a string: `true` arrives as `"true"`."""
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in properties.items()}
