"""The stack and its resources, as CloudFormation lists them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

DELETED_HINT = (
    "delete the stack (make destroy) and deploy it again: CloudFormation does not see that the resource was deleted"
)
"""The fix for a resource that was deleted without CloudFormation."""


REFRESHER_ROLE, DEPLOYER_ROLE, WATCHER_ROLE = "IdentityRole", "WorkloadRole", "WatcherIdentityRole"
"""How the logical ids of the roles of the Lambdas and of kubectl begin, after the constructs that make them."""
REFRESHER_FUNCTION, WATCHER_SOURCE = "RefresherFunction", "WatcherSource"
"""How the logical ids of the Lambda, and of the watcher's event source mappings, begin."""
EVENTS_RULE, DELETIONS_RULE = "WatcherEventsRule", "WatcherDeletionsRule"
"""How the logical ids of its rules begin: of pushes, and of deletions."""
EVENTS_QUEUE, DELETIONS_QUEUE, EVENTS_FAILURES = "WatcherEventsQueue", "WatcherDeletionsQueue", "WatcherEventsFailures"
"""How the logical ids of their queues and of the dead-letter queue of both begin. Another queue is the refresher's."""
DEPLOYMENT_LOG = "DeploymentLog"
"""How the logical id of the log group of CDK's functions begins."""

APPLIED_OBJECTS = "Custom::AWSCDK-EKS-KubernetesResource"
"""The type of what kubectl applies."""

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
ENDPOINT = "AWS::EC2::VPCEndpoint"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
TARGET_GROUP_CONSTRUCTS = ("LoadBalancerPods", "LoadBalancerProxyProtocol")
"""How the logical ids of the target groups begin: the plain one, then the one with PROXY protocol."""


@dataclass(frozen=True, slots=True)
class StackResources:
    """The resources of a stack.

    Attributes:
        status: The stack's status; None where there is no such stack.
        ids: Type, logical id and physical id of each resource.
        failed: Type and logical id of each resource whose last change or deletion failed.
    """

    status: str | None = None
    ids: tuple[tuple[str, str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def is_deployed(self) -> bool:
        """Whether a deployment updates the stack. Otherwise it makes one, as after a first deployment that failed.

        CDK deletes a stack that is ROLLBACK_COMPLETE before it makes the new one (`isCreationFailure`):
        https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/api/stack-events/stack-status.ts
        """
        return self.status not in {None, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}

    def of(self, resource_type: str, construct: str = "") -> list[str]:
        """Physical ids of all resources of a type, or of those whose logical id begins with a construct's name."""
        return [
            physical
            for found_type, logical, physical in self.ids
            if found_type == resource_type and logical.startswith(construct)
        ]


def deletions(cloudformation: Any, stack_name: str) -> list[datetime | None]:  # noqa: ANN401 - as below
    """When each stack of this name was deleted, as far as CloudFormation says it; none where there was no such stack.

    It lists them for 90 days: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html

    Raises:
        ClientError: CloudFormation refuses.
    """
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    summaries = (summary for page in pages for summary in page["StackSummaries"])
    return [summary.get("DeletionTime") for summary in summaries if summary["StackName"] == stack_name]


def list_resources(cloudformation: Any, stack_name: str) -> StackResources:  # noqa: ANN401 - boto3's clients are made at run time
    """The resources of a stack.

    Raises:
        ClientError: CloudFormation refuses.
    """
    try:
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code for a stack that does not exist.
        if "does not exist" in error.response["Error"]["Message"]:
            return StackResources()
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    listed = [summary for page in pages for summary in page["StackResourceSummaries"]]
    ids = tuple(
        (summary["ResourceType"], summary["LogicalResourceId"], summary["PhysicalResourceId"])
        for summary in listed
        if summary.get("PhysicalResourceId") and not summary["ResourceStatus"].startswith("DELETE_")
    )
    failed = tuple(
        (summary["ResourceType"], summary["LogicalResourceId"])
        for summary in listed
        if summary["ResourceStatus"].endswith("_FAILED")
    )
    return StackResources(stack["StackStatus"], ids, failed)
