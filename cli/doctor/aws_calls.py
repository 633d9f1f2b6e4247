"""Calls of the AWS API whose subject may not exist, and the text of its errors."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from lambda_fn.job.redact import excerpt

Answer = TypeVar("Answer")

LOG_IN = "log in, or use --profile NAME"
"""The fix where AWS does not accept the operator's credentials, or where there are none."""

_NOT_FOUND = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "LoadBalancerNotFound",
        "LoadBalancerNotFoundException",
        "LifecyclePolicyNotFoundException",
        "NoSuchEntity",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
        "TargetGroupNotFound",
        "TargetGroupNotFoundException",
    }
)
"""The error codes of each service for what does not exist. Those of SQS depend on the protocol."""


def get_or_none(operation: Callable[..., Answer], **parameters: object) -> Answer | None:
    """The answer of an AWS operation; None where its subject does not exist.

    Raises:
        ClientError: AWS refuses for another reason.
    """
    try:
        return operation(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_FOUND:
            raise
        return None


def error_text(error: BotoCoreError | ClientError) -> str:
    """The error's message, shortened: IAM's may end in kilobytes of encoded text."""
    return excerpt(str(error)).rstrip(".")


def refusal_text(error: BotoCoreError | ClientError) -> str:
    """The line for an operator whose request AWS refused or did not answer, with the fix."""
    fix = "check the route to AWS" if isinstance(error, NoConnectionError | HTTPClientError) else LOG_IN
    return f"AWS refused or did not answer: {error_text(error)}. Fix: {fix}"
