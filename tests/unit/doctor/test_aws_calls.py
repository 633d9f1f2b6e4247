"""How an error of AWS reads to an operator."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.retries.standard import ThrottledRetryableChecker

from cli.doctor.aws_calls import refusal_text

BEGIN = "AWS refused or did not answer: "
LOG_IN, TRY_AGAIN, ROUTE = "log in, or use --profile NAME", "try again", "check the route to AWS"
OF_WRITES = {"PriorRequestNotComplete", "ProvisionedThroughputExceededException", "TransactionInProgressException"}
"""Codes of Route 53 and DynamoDB, which the command line does not write to."""


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "the reason."}}, "StartQuery")


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        *((code, LOG_IN) for code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")),
        *((code, LOG_IN) for code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired")),
        *((code, LOG_IN) for code in ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure")),
        *((code, TRY_AGAIN) for code in ("LimitExceededException", "TooManyRequestsException", "Throttling")),
        *((code, "") for code in ("MalformedQueryException", "InvalidParameterException", "ValidationError")),
        *((code, "") for code in ("ResourceNotFoundException", "ServiceUnavailableException", "InternalFailure")),
    ],
)
def test_a_refusal_has_the_fix_of_its_kind_or_none(code: str, fix: str) -> None:
    text = refusal_text(refused(code))
    assert text.startswith(f"{BEGIN}An error occurred ({code}) when calling the StartQuery operation: the reason")
    assert text.partition(". Fix: ")[2] == fix
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (NoCredentialsError(), LOG_IN),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), LOG_IN),
        (SSOTokenLoadError(error_msg="none"), LOG_IN),
        (UnauthorizedSSOTokenError(), LOG_IN),
        (TokenRetrievalError(provider="sso", error_msg="expired"), LOG_IN),
        (EndpointConnectionError(endpoint_url="https://logs"), ROUTE),
        (ConnectTimeoutError(endpoint_url="https://logs"), ROUTE),
        (ReadTimeoutError(endpoint_url="https://logs"), ROUTE),
        (NoRegionError(), ""),
        (ParamValidationError(report="a name that is too long"), ""),
    ],
)
def test_an_error_before_an_answer_has_the_fix_of_its_kind_or_none(error: BotoCoreError, fix: str) -> None:
    assert refusal_text(error).partition(". Fix: ")[2] == fix


def test_each_code_that_botocore_takes_for_throttling_is_to_be_tried_again() -> None:
    codes = {*ThrottledRetryableChecker._THROTTLED_ERROR_CODES}  # type: ignore[attr-defined]  # noqa: SLF001 - botocore names them nowhere else
    assert {code for code in codes if not refusal_text(refused(code)).endswith("Fix: try again")} == OF_WRITES
