"""A client of the control API, for tests and the demo: the double's behaviour, its tokens and its journal.

control = Control()
with control.behaving(Behaviour(s3_cut_after_bytes=1000)):
    mark = control.mark()
    ...
    assert control.requests(mark).count("registry.blobs") == 1
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.endpoints import CONTROL_PORT, LOOPBACK
from testbed.sandbox.cloud.journal import Entry
from testbed.sandbox.cloud.tokens import Token
from testbed.waiting import eventually

_TIMEOUT_SECONDS = 30
_HASHED_BYTES_PER_SECOND = 100_000_000
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests that reached the double since a mark."""

    entries: tuple[Entry, ...]

    def of(self, kind: str) -> tuple[Entry, ...]:
        """Requests of a kind, such as `registry.blobs` or `s3.layer`; `registry` alone means every kind below it."""
        return tuple(entry for entry in self.entries if entry.kind == kind or entry.kind.startswith(f"{kind}."))

    def count(self, kind: str) -> int:
        """How many there were."""
        return len(self.of(kind))

    def sent_bytes(self, kind: str) -> int:
        """Bytes of body that went out, all requests of the kind together."""
        return sum(entry.sent_bytes for entry in self.of(kind))


class Control:
    """A client of the control API. A method returns once the change is in force."""

    def wait_until_ready(self, timeout_seconds: float = 20) -> None:
        """Return when every server answers.

        Raises:
            TimeoutError: They do not.
        """
        if not eventually(self._is_ready, timeout_seconds, pause_seconds=_POLL_SECONDS):
            raise TimeoutError(
                f"{LOOPBACK}:{CONTROL_PORT}: the AWS double does not answer in {timeout_seconds} s: see cloud/*.log"
            )

    def _is_ready(self) -> bool:
        try:
            self._call("GET", "/ready")
        except OSError:
            return False
        return True

    def behaviour(self) -> Behaviour:
        """How it behaves now."""
        return Behaviour.model_validate(self._call("GET", "/behaviour"))

    def set(self, behaviour: Behaviour) -> None:
        """Change the behaviour from now on, including bodies in transfer."""
        self._call("PUT", "/behaviour", behaviour.model_dump_json())

    def reset(self) -> None:
        """Behave like a healthy AWS. Tokens, images and the journal stay."""
        self.set(Behaviour())

    @contextmanager
    def behaving(self, behaviour: Behaviour) -> Iterator[None]:
        """Behave like this for a while, then as before."""
        before = self.behaviour()
        self.set(behaviour)
        try:
            yield
        finally:
            self.set(before)

    def issue_token(self, region: str) -> Token:
        """A token as GetAuthorizationToken gives it to the refresher's role, without a call of STS."""
        issued = self._call("POST", f"/tokens?region={region}")
        return Token(issued["authorization"], region, "", datetime.fromisoformat(issued["expires_at"]))

    def expire_tokens(self, fingerprint: str | None = None) -> int:
        """End every token (or the one with this fingerprint, see `tokens.fingerprint`); returns how many were valid."""
        query = f"?{urlencode({'fingerprint': fingerprint})}" if fingerprint else ""
        return int(self._call("DELETE", f"/tokens{query}")["expired"])

    def void_locations(self) -> None:
        """S3 refuses every Location issued so far with 403, as if it had expired."""
        self._call("DELETE", "/locations")

    def generated_layer(self, size_bytes: int, seed: int = 0) -> str:
        """The digest of a layer of any size, which every repository has; its bytes are generated, not stored."""
        query = urlencode({"size_bytes": size_bytes, "seed": seed})
        timeout_seconds = _TIMEOUT_SECONDS + size_bytes / _HASHED_BYTES_PER_SECOND
        return str(self._call("POST", f"/layers?{query}", timeout_seconds=timeout_seconds)["digest"])

    def advance(self, days: float) -> None:
        """Move the clock of lifecycle rules; tokens and Locations keep the real time."""
        self._call("POST", f"/clock?days={days}")

    def expire_unused(self, host: str, repository: str, days: float) -> list[str]:
        """Expire, or archive, what was not pulled for so many days; returns the digests that are gone."""
        query = urlencode({"host": host, "repository": repository, "unused_days": days})
        return list(self._call("POST", f"/lifecycle?{query}")["gone"])

    def last_pull(self, host: str, repository: str, digest: str) -> datetime | None:
        """ECR's `lastRecordedPullTime`, by the clock of `advance`."""
        found = self._call("GET", _image(host, repository, digest))["last_pull"]
        return datetime.fromisoformat(found) if found else None

    def delete_image(self, host: str, repository: str, digest: str) -> None:
        """Delete or archive an image: its manifest answers 404."""
        self._call("DELETE", _image(host, repository, digest))

    def restore_image(self, host: str, repository: str, digest: str) -> None:
        """Bring it back."""
        self._call("PUT", _image(host, repository, digest))

    def mark(self) -> int:
        """The end of the journal as it is now."""
        return int(self._call("GET", "/journal")["last"])

    def requests(self, since: int) -> Requests:
        """The requests after the mark."""
        entries = self._call("GET", f"/journal?since={since}")["entries"]
        return Requests(tuple(Entry.model_validate(entry) for entry in entries))

    def _call(
        self, method: str, path: str, body: str | None = None, *, timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> Any:  # noqa: ANN401  JSON has no narrower type
        connection = HTTPConnection(LOOPBACK, CONTROL_PORT, timeout=timeout_seconds)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004  HTTP's own number
            message = f"{method} {path} at the control API: {answer.status} {text}"
            raise ValueError(message)
        return json.loads(text)


def _image(host: str, repository: str, digest: str) -> str:
    return f"/images?{urlencode({'host': host, 'repository': repository, 'digest': digest})}"
