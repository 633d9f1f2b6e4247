"""Callers of the AWS APIs, and the answers to them."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

NO_RETRIES = Config(retries={"total_max_attempts": 1}, proxies={})


def api(session: boto3.Session, service: str, bundle: str, **options: Any) -> Any:  # noqa: ANN401
    return session.client(service, verify=bundle, config=NO_RETRIES, **options)  # type: ignore[call-overload]


def with_keys(region: str, key_id: str, secret: str, token: str | None = None) -> boto3.Session:
    return boto3.Session(
        region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token
    )


def keys_of(session: boto3.Session) -> tuple[str, str, str]:
    found = session.get_credentials()
    assert found is not None
    key = found.get_frozen_credentials()
    return str(key.access_key), str(key.secret_key), str(key.token)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]
