"""Finds a function of the stack by the stack's outputs, and invokes it."""

import json
from typing import Any

from botocore.exceptions import ClientError

from lambda_fn.contract.errors import SettingsError

REFRESHER, WATCHER = "FunctionName", "WatcherName"
"""The stack's outputs that name the Lambda and the watcher."""


def function_of(cloudformation: Any, *, stack: str, output: str) -> str:  # noqa: ANN401 - boto3's clients are made at run time
    """The name of the function that an output has.

    Raises:
        SettingsError: There is no such stack, or it has no such output.
        ClientError: CloudFormation refuses.
    """
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        region = cloudformation.meta.region_name
        raise SettingsError(
            f"stack {stack} does not exist in {region}. Fix: deploy, or use --config or --profile"
        ) from error
    for each in found.get("Outputs", []):
        if each["OutputKey"] == output:
            return str(each["OutputValue"])
    raise SettingsError(f"stack {stack} is {found['StackStatus']} and has no output {output}. Fix: deploy")


def invoke(function: Any, name: str, event: object) -> tuple[dict[str, Any], bool]:  # noqa: ANN401 - as above
    """What the function returned, and whether it failed.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    answer = function.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    returned: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}") or {}
    return returned, "FunctionError" in answer


def failure(returned: dict[str, Any]) -> str:
    """The message of a function that failed."""
    message = returned.get("errorMessage", "the function ended without a message; its log has more")
    return f"frontdoor: {returned.get('errorType', 'error')}: {message}"
