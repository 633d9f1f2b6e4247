"""Signature Version 4 on the server's side: the signer, and whether the signature is genuine. Pure.

botocore computes the signature; here it is only asked to do so for a request that was received. The rules are those of
"Authenticating Requests: Using the Authorization Header" and "... Using Query Parameters" in the IAM and S3 guides.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"
_CLOCK_SKEW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in. `headers` have lower-case names; `url` is as sent, not decoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def is_presigned(self) -> bool:
        """Whether the query carries a signature."""
        return "X-Amz-Signature" in self.query


@dataclass(frozen=True, slots=True)
class Claim:
    """The fields of a request's signature.

    Attributes:
        valid_for: From `signed_at`; the clock skew AWS allows where the request names no span itself.
    """

    key_id: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)
    timestamp: str
    valid_for: timedelta
    session_token: str = field(repr=False)
    presigned: bool

    @property
    def signed_at(self) -> datetime:
        """When it was signed."""
        return datetime.strptime(self.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now > self.signed_at + self.valid_for


def claim(request: Received) -> Claim:
    """The claim of a signed request.

    Raises:
        ValueError: It is not signed, or the signature lacks a part.
    """
    try:
        return _query_claim(request.query) if request.is_presigned else _header_claim(request.headers)
    except KeyError as error:
        message = f"the request's signature has no {error}"
        raise ValueError(message) from error


def is_genuine(request: Received, claimed: Claim, secret: str) -> bool:
    """Whether the signature is the one that the owner of `secret` makes for exactly this request."""
    signer = _signer(claimed, Credentials(claimed.key_id, secret))
    signed = {name: request.headers[name] for name in claimed.signed_headers if name in request.headers}
    bare = AWSRequest(method=request.method, url=_without_signature(request.url), data=request.body, headers=signed)
    bare.context["timestamp"] = claimed.timestamp
    # The digest of the body counts whether it is a signed header (the SDK for JavaScript) or not (botocore).
    if "x-amz-content-sha256" in request.headers and "x-amz-content-sha256" not in signed and not claimed.presigned:
        bare.headers["X-Amz-Content-SHA256"] = request.headers["x-amz-content-sha256"]
    expected = signer.signature(signer.string_to_sign(bare, signer.canonical_request(bare)), bare)
    return set(signed) == set(claimed.signed_headers) and hmac.compare_digest(expected, claimed.signature)


def _signer(claimed: Claim, credentials: Credentials) -> SigV4Auth:
    kind: type[SigV4Auth]
    if claimed.presigned:
        kind = S3SigV4QueryAuth if claimed.service == "s3" else SigV4QueryAuth
    else:
        kind = S3SigV4Auth if claimed.service == "s3" else SigV4Auth
    return kind(credentials, claimed.service, claimed.region)


def _header_claim(headers: Mapping[str, str]) -> Claim:
    parts = headers.get("authorization", "").removeprefix(_ALGORITHM).split(",")
    fields = dict(part.strip().split("=", 1) for part in parts if "=" in part)
    key_id, _, region, service, _ = fields["Credential"].split("/")
    return Claim(
        key_id=key_id,
        region=region,
        service=service,
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=headers["x-amz-date"],
        valid_for=_CLOCK_SKEW,
        session_token=headers.get("x-amz-security-token", ""),
        presigned=False,
    )


def _query_claim(query: Mapping[str, str]) -> Claim:
    key_id, _, region, service, _ = query["X-Amz-Credential"].split("/")
    return Claim(
        key_id=key_id,
        region=region,
        service=service,
        signed_headers=tuple(query["X-Amz-SignedHeaders"].split(";")),
        signature=query["X-Amz-Signature"],
        timestamp=query["X-Amz-Date"],
        valid_for=timedelta(seconds=int(query["X-Amz-Expires"])),
        session_token=query.get("X-Amz-Security-Token", ""),
        presigned=True,
    )


def _without_signature(url: str) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not pair.startswith("X-Amz-Signature=")]
    return urlunsplit(parts._replace(query="&".join(kept)))
