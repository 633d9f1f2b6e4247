"""The stack's resources, as CloudFormation lists them."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from doctor.site import ASKED_BRIEFLY, Site


@dataclass(frozen=True, slots=True)
class Resources:
    """What a stack made.

    Attributes:
        status: The stack's status.
        ids: Type, logical id and physical id of each resource.
    """

    status: str
    ids: tuple[tuple[str, str, str], ...]

    def of(self, kind: str) -> list[str]:
        """Physical ids of the resources of a type."""
        return [physical for of, _, physical in self.ids if of == kind]


def resources(site: Site, name: str) -> Resources | None:
    """What the stack called `name` made; None when there is none.

    Raises:
        ClientError: CloudFormation refuses.
    """
    client = site.aws.client("cloudformation", config=ASKED_BRIEFLY)
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
