"""The requests that reached the double, in order and without secrets. Pure.

Tests count requests with it, and prove what was *not* sent.
"""

from collections import deque
from collections.abc import Mapping

from pydantic import BaseModel

from testbed.sandbox.cloud.tokens import fingerprint

_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-amz-security-token"}
_ENTRIES_KEPT = 200_000


class Entry(BaseModel):
    """One request. It is in the journal before its answer begins; `status` and `sent_bytes` grow with the answer.

    Attributes:
        number: Place in the journal, from 1.
        kind: `registry.<kind of route>`, `s3.layer`, `ecr.<operation>`, `sts`, `eks`, `aws`.
        host: `Host` header as sent.
        path: Path without query.
        server_name: TLS server name (SNI).
        headers: Names in lower case; secrets as fingerprints (see `tokens.fingerprint`).
        status: 0 until an answer began.
        sent_bytes: Bytes of body handed to the connection.
    """

    number: int
    kind: str
    method: str
    host: str
    path: str
    server_name: str
    headers: dict[str, str]
    status: int = 0
    sent_bytes: int = 0


class Journal:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES_KEPT)
        self.last = 0

    def open(
        self, *, kind: str, method: str, url: tuple[str, str], server_name: str, headers: Mapping[str, str]
    ) -> Entry:
        """A new entry for a request to `url`, which is (host, path)."""
        self.last += 1
        host, path = url
        entry = Entry(
            number=self.last,
            kind=kind,
            method=method,
            host=host,
            path=path,
            server_name=server_name,
            headers=redacted(headers),
        )
        self._entries.append(entry)
        return entry

    def since(self, mark: int) -> list[Entry]:
        """Entries after the mark; a mark is the number of an entry."""
        return [entry for entry in self._entries if entry.number > mark]


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without secrets: of a secret one only the scheme and the fingerprint of what follows it."""
    return {name.lower(): _shown(name.lower(), value) for name, value in headers.items()}


def _shown(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    scheme, space, secret = value.rpartition(" ")
    if space and scheme.isalnum():
        return f"{scheme} {fingerprint(secret)}"
    return fingerprint(value)
