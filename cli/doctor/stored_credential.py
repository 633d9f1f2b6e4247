"""The credential in the Secret. Pure."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.job.credential import Authorization, Credential
from lambda_fn.settings import Registry

StoredCredentials = dict[str, Credential]
"""ECR host name to what the Secret holds for it."""


def parse_secret(secret: Mapping[str, Any]) -> StoredCredentials:
    """The credentials in a Secret.

    Raises:
        ValueError: It is not what a refresh writes. The message never quotes a value.
    """
    data = secret.get("data") or {}
    try:
        expires_at = datetime.strptime(_text(data, "expires_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        auths = json.loads(_text(data, ".dockerconfigjson"))["auths"]
        stored = {host: Credential(host, "", Authorization(entry["auth"]), expires_at) for host, entry in auths.items()}
    except KeyError as error:
        raise ValueError(f"it has no {error}") from None
    except (ValueError, TypeError, AttributeError):  # their messages quote the text
        raise ValueError("its .dockerconfigjson or expires_at is not what a refresh writes") from None
    if not stored:
        raise ValueError("its auths are empty")
    return stored


def host_of(registry: Registry, stored: StoredCredentials) -> str | None:
    """The host of a registry's credential in the Secret; None where there is none."""
    if registry.endpoint:
        return registry.endpoint if registry.endpoint in stored else None
    place = (registry.account, registry.region)
    hosts = ((host, ECR_HOST.fullmatch(host)) for host in stored)
    return next((host for host, of in hosts if of and (of["account"], of["region"]) == place), None)


def _text(data: Mapping[str, str], key: str) -> str:
    try:
        return base64.b64decode(data[key], validate=True).decode()
    except binascii.Error:
        raise ValueError from None
