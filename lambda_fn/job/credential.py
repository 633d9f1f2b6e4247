"""The answer of ECR's GetAuthorizationToken, parsed strictly. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.contract.times import instant_text
from lambda_fn.settings.registry import EcrRegistry

_CHECK_PATH = "check what the Lambda's DNS and AWS_ENDPOINT_URL lead to"
"""The fix where something else than ECR seems to answer."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token of one region, good for every registry in it that the Lambda's role may read.

    Attributes:
        host: The ECR host name in the answer's proxyEndpoint: the registry of the Lambda's own account.
        region: The region of that host.
        authorization: The answer's authorizationToken, base64 of `AWS:<password>`, of any length.
        expires_at: When ECR stops accepting it, in UTC.
    """

    host: str
    region: str
    authorization: Authorization
    expires_at: datetime


def parse(response: Mapping[str, Any], *, region: str, now: datetime, must_outlive: timedelta) -> Credential:
    """The credential in an answer of GetAuthorizationToken, as boto3 gives it.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_AuthorizationData.html

    Args:
        response: The answer.
        region: The region that was asked.
        now: The current time, aware.
        must_outlive: How long the token has to be valid from now on: until the second run from now has started.

    Raises:
        RegistryError: Anything is missing, malformed, of another region, or expires too early; has no secret.
    """
    source = f"GetAuthorizationToken in {region}"
    entries = response.get("authorizationData")
    if not entries:
        raise RegistryError(
            f"{source} answered without authorizationData. Fix: check the role's ecr:GetAuthorizationToken"
        )
    return Credential(
        host=_host(entries[0].get("proxyEndpoint"), region, source),
        region=region,
        authorization=_authorization(entries[0].get("authorizationToken"), source),
        expires_at=_expires_at(entries[0].get("expiresAt"), now, must_outlive, source),
    )


def registry_host(registry: EcrRegistry, credential: Credential) -> str:
    """The ECR host name of `registry`: its own endpoint, or the credential's host with the registry's account.

    Host names are never built from an account and a region: partitions differ in their domain.
    """
    return registry.endpoint or f"{registry.account}{credential.host.removeprefix(credential.host[:12])}"


def _authorization(token: object, source: str) -> Authorization:
    if not isinstance(token, str) or not token:
        raise RegistryError(f"{source} answered without an authorizationToken. Fix: run again, then ask AWS support")
    decoded = _decoded(token)
    if decoded is None:
        raise RegistryError(f"{source} answered with an authorizationToken that is not base64. Fix: {_CHECK_PATH}")
    user, colon, password = decoded.partition(b":")
    if not colon:
        raise RegistryError(
            f"{source} answered with an authorizationToken that has no colon: it must be user:password. Fix: "
            f"{_CHECK_PATH}"
        )
    if not user or not password:
        raise RegistryError(
            f"{source} answered with an authorizationToken whose user or password is empty. Fix: {_CHECK_PATH}"
        )
    return Authorization(token)


def _decoded(token: str) -> bytes | None:
    """The decoded text, None when it is not base64: some decoding errors carry the text they failed on."""
    try:
        return base64.b64decode(token, validate=True)
    except ValueError:
        return None


def _host(endpoint: object, region: str, source: str) -> str:
    host = endpoint.removeprefix("https://") if isinstance(endpoint, str) else ""
    found = ECR_HOST.fullmatch(host)
    if not found or endpoint == host:
        raise RegistryError(
            f"{source} answered with proxyEndpoint {endpoint!r}, which is not an ECR address, so the "
            f"token is not used. Fix: {_CHECK_PATH}"
        )
    if found["region"] != region:
        raise RegistryError(
            f"{source} answered with a proxyEndpoint of region {found['region']}: {host}. Fix: {_CHECK_PATH}"
        )
    return host


def _expires_at(value: object, now: datetime, must_outlive: timedelta, source: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise RegistryError(
            f"{source} answered without a usable expiresAt: {value!r} is not an instant with a time zone. Fix: "
            f"{_CHECK_PATH}"
        )
    expires_at = value.astimezone(UTC)
    if expires_at <= now:
        raise RegistryError(
            f"{source} answered with a token that expired at {instant_text(expires_at)}. Fix: check the clock"
        )
    if expires_at < now + must_outlive:
        raise RegistryError(
            f"{source} answered with a token that expires at {instant_text(expires_at)}, before the second run "
            f"from now ({instant_text(now + must_outlive)}). Fix: shorten refresh.period_minutes"
        )
    return expires_at
