"""The deployed stack, as CloudFormation and Lambda describe it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import session
from testbed.sandbox.story import expect
from testbed.sandbox.world import World
from testbed.waiting import eventually

_DIGEST_CHARACTERS = 8
_INVOCATION_SECONDS = 900
"""Lambda's longest."""
_OPERATION_SECONDS = 300
_STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")


@dataclass(frozen=True)
class Stack:
    """A stack by its name, whether it exists or not."""

    world: World
    name: str

    def status(self) -> str:
        """CloudFormation's, such as UPDATE_ROLLBACK_COMPLETE; empty where there is no such stack."""
        try:
            (found,) = self._cloudformation().describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return ""
        return str(found["StackStatus"])

    def failures(self) -> list[str]:
        """Logical id, status and reason of everything that failed in the last operation, in order."""
        pages = self._cloudformation().get_paginator("describe_stack_events").paginate(StackName=self.name)
        found = []
        for one in (event for page in pages for event in page["StackEvents"]):  # the latest first
            name, status = one["LogicalResourceId"], one["ResourceStatus"]
            if status.endswith("_FAILED"):
                reason = " ".join(one.get("ResourceStatusReason", "").split())
                found.append(f"{name} {status}: {reason}")
            if name == self.name and status in _STARTS:
                break
        return found[::-1]

    def wait(self, status: str) -> None:
        """Wait until an operation that this started itself has ended.

        Raises:
            SandboxError: It has not, or with another status.
        """
        if not eventually(lambda: not self.status().endswith("_IN_PROGRESS"), _OPERATION_SECONDS, pause_seconds=1):
            raise SandboxError(f"stack {self.name} is still {self.status()} after {_OPERATION_SECONDS} s")
        expect(self.status() == status, f"the stack is {self.status()} instead of {status}: {self.failures()}")

    def continue_rollback(self) -> None:
        """ContinueUpdateRollback, to its end.

        Raises:
            SandboxError: It failed.
        """
        self._cloudformation().continue_update_rollback(StackName=self.name)
        self.wait("UPDATE_ROLLBACK_COMPLETE")

    def force_deletion(self) -> None:
        """DeleteStack with FORCE_DELETE_STACK, to its end.

        Raises:
            SandboxError: It failed.
        """
        self._cloudformation().delete_stack(StackName=self.name, DeletionMode="FORCE_DELETE_STACK")
        self.wait("")

    def types(self) -> set[str]:
        """The types of its resources."""
        return {one["ResourceType"] for one in self._resources()}

    def physical(self, kind: str, construct: str) -> str:
        """The physical id of the one resource of a type that a construct made: CDK adds a digest to its name."""
        (name,) = (
            one["PhysicalResourceId"]
            for one in self._resources()
            if one["LogicalResourceId"][:-_DIGEST_CHARACTERS] == construct and one["ResourceType"] == kind
        )
        return str(name)

    def retained(self, kind: str) -> set[str]:
        """The physical ids of the resources of a type that are to outlive the stack."""
        template: Any = self._cloudformation().get_template(StackName=self.name)["TemplateBody"]
        wanted = {
            name
            for name, one in template["Resources"].items()
            if one["Type"] == kind and one.get("DeletionPolicy", "Delete") != "Delete"
        }
        return {one["PhysicalResourceId"] for one in self._resources() if one["LogicalResourceId"] in wanted}

    def invoke(self, function: str, event: object) -> tuple[Any, str | None]:
        """Invoke a function through Lambda; returns its answer and None, or its error's message in the second place."""
        config = Config(read_timeout=_INVOCATION_SECONDS, retries={"total_max_attempts": 1})
        done = (
            session(self.world, "default")
            .client("lambda", config=config)
            .invoke(FunctionName=function, Payload=json.dumps(event).encode())
        )
        payload = json.loads(done["Payload"].read())
        return (None, payload["errorMessage"]) if "FunctionError" in done else (payload, None)

    def _resources(self) -> list[Mapping[str, Any]]:
        listed: list[Mapping[str, Any]] = []
        pages = self._cloudformation().get_paginator("list_stack_resources").paginate(StackName=self.name)
        for page in pages:
            listed += page["StackResourceSummaries"]
        return listed

    def _cloudformation(self) -> Any:  # noqa: ANN401  boto3 makes clients at run time
        return session(self.world, "default").client("cloudformation")
