"""The stack and its resources, as CloudFormation lists them."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.site import Site
from stacks.stack_name import stack_name

GONE = "CloudFormation believes that it is there: delete the stack (make destroy) and deploy it again"
"""What to do about a resource that somebody deleted behind CloudFormation's back."""

_DEPLOY_AGAIN = "read its events, correct what failed, deploy again"
_DELETE_FIRST = (
    "read its events, correct what failed, delete the stack (make destroy) and deploy: nothing in it is kept"
)
_MENDS = {
    "ROLLBACK_COMPLETE": _DELETE_FIRST,
    "ROLLBACK_FAILED": _DELETE_FIRST,
    "CREATE_FAILED": _DELETE_FIRST,
    "DELETE_FAILED": "read its events, remove what holds it, and delete it again (make destroy)",
    "UPDATE_FAILED": _DEPLOY_AGAIN,
    "REVIEW_IN_PROGRESS": "only a change set was made, and nothing deployed: deploy",
}


@dataclass(frozen=True, slots=True)
class Resources:
    """What a stack made.

    Attributes:
        status: The stack's status.
        ids: Type, logical id and physical id of each resource.
    """

    status: str
    ids: tuple[tuple[str, str, str], ...]

    def of(self, kind: str, within: str = "") -> list[str]:
        """Physical ids of the resources of a type, all or those of a construct: their logical ids begin with it."""
        return [physical for of, logical, physical in self.ids if of == kind and logical.startswith(within)]


def resources(site: Site) -> Resources | None:
    """What the site's stack made; None when there is none.

    Raises:
        ClientError: CloudFormation refuses.
    """
    client, name = site.aws.client("cloudformation", config=site.briefly), stack_name(site.settings)
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code of its own for it.
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    listed = [one for page in pages for one in page["StackResourceSummaries"]]
    ids = tuple(
        (one["ResourceType"], one["LogicalResourceId"], one["PhysicalResourceId"])
        for one in listed
        if one.get("PhysicalResourceId") and not one["ResourceStatus"].startswith("DELETE_")
    )
    return Resources(stack["StackStatus"], ids)


def status(name: str, region: str, found: Resources) -> Finding:
    """Whether the last deployment went through.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
    """
    said = f"{name} is {found.status}"
    if found.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return fine("stack", said)
    if found.status == "UPDATE_ROLLBACK_FAILED":
        mend = f"aws cloudformation continue-update-rollback --region {region} --stack-name {name}, then deploy again"
        return failure("stack", f"{said}: neither the old deployment nor the new one", mend)
    if found.status in _MENDS:
        return failure("stack", said, _MENDS[found.status])
    if found.status.endswith("_IN_PROGRESS"):
        return warning("stack", said, "wait until it is over, then look again")
    return warning(
        "stack", f"{said}: an update was taken back, and what it should have changed is as before", _DEPLOY_AGAIN
    )
