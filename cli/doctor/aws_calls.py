"""Calls of the AWS API whose subject may not exist, and the text of its errors."""

from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.job.redact import excerpt

Answer = TypeVar("Answer")

LOG_IN = "log in, or use --profile NAME"
"""The fix where AWS does not accept the operator's credentials, or where there are none."""

TRY_AGAIN = "try again"
"""The fix where a quota of requests is used up."""

_NO_CREDENTIALS = (
    exceptions.CredentialRetrievalError,
    exceptions.LoginError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
_NOT_ACCEPTED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html , and those of EC2 and S3."""
_LATER = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""botocore has repeated such a request already, as often as it may."""
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
    """The line for an operator whose request AWS refused or did not answer, with the fix where one is known."""
    text = f"AWS refused or did not answer: {error_text(error)}"
    return f"{text}. Fix: {fix}" if (fix := fix_of(error)) else text


def fix_of(error: BotoCoreError | ClientError) -> str:
    """What an operator can do; an empty text where only the error itself says it."""
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return "check the route to AWS"
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _LATER:
        return TRY_AGAIN
    return LOG_IN if code in _NOT_ACCEPTED or isinstance(error, _NO_CREDENTIALS) else ""
