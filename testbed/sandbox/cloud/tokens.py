"""ECR's authorization tokens: opaque, long, regional, mortal. Pure but for a random source and a given clock."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

_USER = b"AWS:"
_PASSWORD_START = b"eyJwYXlsb2FkIjoi"
"""base64 of `{"payload":"`, as every real password begins; clients must not parse it."""


class Verdict(Enum):
    """What ECR makes of an `Authorization` header."""

    VALID = auto()
    ABSENT = auto()
    INVALID = auto()
    EXPIRED = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One answer of GetAuthorizationToken.

    Attributes:
        authorization: base64 of `AWS:<password>`, for use after `Basic `.
        region: The one region it is good in.
        principal: ARN of the caller that asked for it.
        expires_at: When it dies.
    """

    authorization: str
    region: str
    principal: str
    expires_at: datetime

    @property
    def login(self) -> str:
        """`AWS:<password>`, as a client logs in."""
        return base64.b64decode(self.authorization).decode()

    def __repr__(self) -> str:
        return f"Token({fingerprint(self.authorization)}, {self.region}, expires_at={self.expires_at})"


def fingerprint(secret: str) -> str:
    """What may be shown of a secret: enough to recognise it, not to use it."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:16]


class Tokens:
    """Every token issued so far. A new one leaves the old ones alive, as in ECR."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._issued: dict[str, Token] = {}

    def issue(self, region: str, principal: str, *, characters: int, lifetime_seconds: float) -> Token:
        """A fresh token.

        Args:
            region: Where it is good.
            principal: ARN it acts as.
            characters: Length of `authorization`, rounded down to a multiple of four.
            lifetime_seconds: A negative value issues an expired token.
        """
        password_bytes = characters // 4 * 3 - 1 - len(_USER)
        filling = base64.b64encode(secrets.token_bytes(password_bytes))
        password = (_PASSWORD_START + filling)[:password_bytes]
        expires_at = self._now() + timedelta(seconds=lifetime_seconds)
        token = Token(base64.b64encode(_USER + password).decode(), region, principal, expires_at)
        self._issued[fingerprint(token.authorization)] = token
        return token

    def check(self, header: str | None, region: str) -> Verdict:
        """What a registry of `region` makes of an `Authorization` header."""
        authorization = _basic(header)
        if authorization is None:
            return Verdict.ABSENT
        token = self._issued.get(fingerprint(authorization))
        if token is None or token.region != region:
            return Verdict.INVALID
        return Verdict.VALID if self._now() < token.expires_at else Verdict.EXPIRED

    def principal(self, header: str | None) -> str:
        """ARN that a valid `Authorization` header acts as."""
        return self._issued[fingerprint(_basic(header) or "")].principal

    def expire(self, which: str | None = None) -> int:
        """End the token with this fingerprint, or every token there is; returns how many lived until now."""
        now = self._now()
        doomed = [key for key, token in self._issued.items() if which in (None, key) and now < token.expires_at]
        for key in doomed:
            self._issued[key] = replace(self._issued[key], expires_at=now)
        return len(doomed)


def _basic(header: str | None) -> str | None:
    """The token of a Basic header whose user is AWS; `None` for everything ECR calls no credentials at all."""
    scheme, _, authorization = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(authorization, validate=True)
    except binascii.Error:
        return None
    return authorization if decoded.startswith(_USER) else None
