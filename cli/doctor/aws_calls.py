"""Calls of the AWS API whose subject may not exist, and the text of its errors."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.job.redact import excerpt

Answer = TypeVar("Answer")

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
