"""The format of the Secret that holds the tokens: written by the Lambda, read by the Lambda and by the doctor. Pure.

The kubelet reads `.dockerconfigjson` alone, and nginx the key with the name of a host, which has its token as well. The
other keys say when the tokens expire and were written.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.times import instant_text, parse_instant

TYPE = "kubernetes.io/dockerconfigjson"
"""The Secret's type, with which pods may use it as their image pull secret."""
DOCKER_CONFIG = ".dockerconfigjson"
"""ECR host name to token, in the format of docker's configuration file."""
EXPIRES_AT = "expires_at"
"""When the first registry of the settings is without a valid token; in the past, where one has none."""
EXPIRES_AT_BY_HOST = "expires_at_by_host"
"""When each token that a refresh wrote expires, by host, as JSON. A Secret of version 0.1 or older has no such key."""
REFRESHED_AT = "refreshed_at"
"""When a refresh has last written the Secret. The metrics of the pods read it (njs/credential.js)."""

LIMIT_BYTES = 1_048_576
"""Of all values of a Secret, decoded: https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size"""
TOKEN_BYTES = 4_300
"""No less than the longest token that users of ECR report, in base64 as ECR gives it. AWS documents no limit.

2,368 is usual (https://github.com/aws/aws-sdk-js-v3/issues/6580). Passwords of 3,188 characters, which are 4,256 in
base64, are those of roles that are assumed by OIDC (https://github.com/aws/aws-cli/issues/5636).
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """The token of one ECR host.

    Attributes:
        authorization: base64 of `AWS:<password>`.
        expires_at: When ECR stops accepting it.
    """

    authorization: Authorization
    expires_at: datetime


class HiddenData(dict[str, str]):
    """A Secret's data: itself as JSON, and `{***}` in a repr, so that no traceback with locals shows it."""

    def __repr__(self) -> str:
        return "{***}"


def build(entries: Mapping[str, Entry], expires_at: datetime, refreshed_at: datetime) -> HiddenData:
    """The `data` of a Secret: server-side apply does not track the write-only `stringData`.

    Args:
        entries: ECR host name to its token; at least one.
        expires_at: See `EXPIRES_AT`.
        refreshed_at: See `REFRESHED_AT`.
    """
    auths = {host: {"auth": entry.authorization.reveal()} for host, entry in entries.items()}
    by_host = {host: instant_text(entry.expires_at) for host, entry in entries.items()}
    texts = {
        **{host: entry.authorization.reveal() for host, entry in entries.items()},
        DOCKER_CONFIG: json.dumps({"auths": auths}, separators=(",", ":")),
        EXPIRES_AT: instant_text(expires_at),
        EXPIRES_AT_BY_HOST: json.dumps(by_host, separators=(",", ":")),
        REFRESHED_AT: instant_text(refreshed_at),
    }
    return HiddenData({key: base64.b64encode(text.encode()).decode() for key, text in texts.items()})


def size_bytes(data: Mapping[str, str]) -> int:
    """What of a Secret's `data` counts for `LIMIT_BYTES`."""
    return sum(len(base64.b64decode(value)) for value in data.values())


def longest_bytes(hosts: Iterable[str]) -> int:
    """The size of the Secret with the longest token for each of these hosts. Each token is in it twice."""
    at = datetime.min.replace(tzinfo=UTC)
    return size_bytes(build({host: Entry(Authorization("t" * TOKEN_BYTES), at) for host in hosts}, at, at))


def parse(data: Mapping[str, str]) -> dict[str, Entry]:
    """The tokens in a Secret's `data`, by ECR host name.

    A host that `expires_at_by_host` does not name is another writer's, and left out. Without that key every host
    expires at `expires_at`.

    Raises:
        ValueError: The data is not what `build` writes; the message names the key and quotes no value.
    """
    earliest = expires_at(data)
    if earliest is None:
        raise ValueError(f"its {EXPIRES_AT} is missing or not an instant")
    by_host = _expiries(data)
    try:
        auths = json.loads(_text(data, DOCKER_CONFIG))["auths"]
        entries = {
            host: Entry(Authorization(_ascii(auths[host]["auth"])), at)
            for host, at in (by_host or dict.fromkeys(auths, earliest)).items()
            if host in auths
        }
    except (KeyError, ValueError, TypeError, AttributeError):  # their messages may quote the text
        raise ValueError(f"its {DOCKER_CONFIG} is missing or not what a refresh writes") from None
    if not entries:
        raise ValueError(f"the auths in its {DOCKER_CONFIG} are empty")
    return entries


def expires_at(data: Mapping[str, str]) -> datetime | None:
    """The instant in `EXPIRES_AT`; None where the Lambda did not write it."""
    try:
        return parse_instant(_text(data, EXPIRES_AT))
    except (KeyError, ValueError):
        return None


def _expiries(data: Mapping[str, str]) -> dict[str, datetime]:
    if EXPIRES_AT_BY_HOST not in data:
        return {}
    try:
        return {host: parse_instant(text) for host, text in json.loads(_text(data, EXPIRES_AT_BY_HOST)).items()}
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"its {EXPIRES_AT_BY_HOST} is not what a refresh writes") from None


def _text(data: Mapping[str, str], key: str) -> str:
    try:
        return base64.b64decode(data[key], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError(f"{key} is not base64 of text") from None


def _ascii(value: object) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise ValueError("an auth is not text")
    return value
