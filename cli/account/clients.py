"""Clients of AWS, with the time-outs of the command line."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ProfileNotFound

from lambda_fn.contract.errors import SettingsError

_CONNECT_SECONDS = 5.0


def session(profile: str | None, region: str | None) -> boto3.Session:
    """The operator's AWS session.

    Args:
        profile: The name of a profile; None for the default credentials.
        region: None for the profile's.

    Raises:
        SettingsError: There is no such profile, or a file of the AWS command line cannot be read.
    """
    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound as error:
        raise SettingsError(
            f"{error}. Fix: use --profile NAME with a name that aws configure list-profiles prints"
        ) from error
    except BotoCoreError as error:
        raise SettingsError(f"{error}. Fix: correct the configuration of the AWS command line") from error


def client(
    aws: boto3.Session, service: str, *, region: str | None = None, timeout_seconds: float, attempts: int = 2
) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """A client of an AWS service, in the session's region or another, that waits so long for each answer.

    Args:
        aws: The session.
        service: Its name in boto3.
        region: Another region than the session's.
        timeout_seconds: How long to wait for each answer.
        attempts: How often a request is sent that was not answered or was throttled.
    """
    config = Config(
        connect_timeout=min(_CONNECT_SECONDS, timeout_seconds),
        read_timeout=timeout_seconds,
        tcp_keepalive=True,  # a run of the Lambda takes minutes, and NAT forgets a silent connection after less
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return aws.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # its overloads name each service
