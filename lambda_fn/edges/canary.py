"""A pull through the public domain, as a client makes it: by name, over TLS, without a credential."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2

from lambda_fn.contract.errors import CanaryError
from lambda_fn.contract.media_types import ACCEPT
from lambda_fn.edges import tls
from lambda_fn.edges.causes import cause_of
from lambda_fn.job.image import check, first_child, parse_manifest, smallest_blob
from lambda_fn.job.redact import excerpt
from lambda_fn.settings.canary import Canary as CanarySettings

MANIFEST_LIMIT_BYTES = 4 << 20
"""What registries take for a manifest: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests"""
PULL_SECONDS = 20.0
"""For the whole pull; the last read of a body may go on a little longer."""
_CONNECT_SECONDS = 5.0
_QUOTED_BYTES = 2000
_HEADERS = {
    "Accept": ACCEPT,
    "Accept-Encoding": "identity",
    "User-Agent": "ecr-frontdoor-canary",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, its body cut where it is longer than allowed."""

    status: int
    location: str
    body: bytes = field(repr=False)


class Canary:
    """Pulls an image through a domain, bounded in time and bytes."""

    def __init__(
        self,
        image: CanarySettings,
        *,
        domain: str,
        may_redirect_blobs: bool,
        transport: httpx2.BaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare it.

        The default `transport` trusts the canary's own authority, and the public ones: clients may be sent to S3.
        """
        self._image = image
        self._origin = f"https://{domain}"
        self._may_redirect_blobs = may_redirect_blobs
        self._transport = transport or httpx2.HTTPTransport(verify=tls.client_context(image.authority), trust_env=False)
        self._now = now

    def pull(self, *, allowed_seconds: float = PULL_SECONDS) -> float:
        """A manifest and the smallest blob of it; returns how long that took, in seconds.

        An index is followed to its first manifest. No request begins after `allowed_seconds`.

        Raises:
            CanaryError: A request failed, or its answer has another digest, size or format.
        """
        started_at = self._now()
        ends_at = started_at + min(PULL_SECONDS, allowed_seconds)
        with httpx2.Client(transport=self._transport, trust_env=False) as client:
            manifest = self._manifest(client, ends_at, self._image.reference)
            if child := first_child(manifest):
                manifest = self._manifest(client, ends_at, child)
            blob = smallest_blob(manifest)
            path = f"/v2/{self._image.repository}/blobs/{blob.digest}"
            content = self._get(client, ends_at, path, blob.size_bytes)
            check(path, content, blob.digest, blob.size_bytes)
        return self._now() - started_at

    def _manifest(self, client: httpx2.Client, ends_at: float, reference: str) -> dict[str, Any]:
        path = f"/v2/{self._image.repository}/manifests/{reference}"
        content = self._get(client, ends_at, path, MANIFEST_LIMIT_BYTES)
        if reference.startswith("sha256:"):
            check(path, content, reference)
        return parse_manifest(f"GET {path}", content)

    def _get(self, client: httpx2.Client, ends_at: float, path: str, limit_bytes: int) -> bytes:
        asked = f"GET {path} at {self._origin}"
        answer = self._ask(client, ends_at, asked, f"{self._origin}{path}", limit_bytes)
        if self._may_redirect_blobs and "/blobs/" in path and answer.status == HTTPStatus.TEMPORARY_REDIRECT:
            # Only the host: the URL holds a signature.
            host = _host(answer.location)
            asked = f"{asked}, redirected to {host or 'an invalid URL'}"
            if not (host and answer.location.startswith("https://")):
                raise CanaryError(f"{asked}: not over TLS")
            answer = self._ask(client, ends_at, asked, answer.location, limit_bytes)
        if answer.status != HTTPStatus.OK:
            text = answer.body[:_QUOTED_BYTES].decode(errors="replace")
            raise CanaryError(f"{asked} answered {answer.status}: {excerpt(text)}")
        return answer.body

    def _ask(self, client: httpx2.Client, ends_at: float, asked: str, url: str, limit_bytes: int) -> _Answer:
        left_seconds = ends_at - self._now()
        if left_seconds <= 0:
            raise CanaryError(f"{asked}: no time was left for it")
        timeout = httpx2.Timeout(left_seconds, connect=min(_CONNECT_SECONDS, left_seconds))
        body = bytearray()
        try:
            with client.stream("GET", url, headers=_HEADERS, timeout=timeout) as response:
                for chunk in response.iter_raw():
                    body += chunk
                    if self._now() > ends_at:
                        raise CanaryError(f"{asked}: not complete in time, after {len(body)} bytes")
                    if len(body) > limit_bytes and response.is_success:
                        raise CanaryError(f"{asked} returns more than the expected {limit_bytes} bytes")
                    if len(body) > MANIFEST_LIMIT_BYTES and not response.is_success:
                        break
        # UnicodeError: a host name that no resolver takes, such as a..b
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise CanaryError(f"{asked}: {explain_failure(error)}, after {len(body)} bytes") from error
        return _Answer(response.status_code, response.headers.get("Location", ""), bytes(body))


def _host(location: str) -> str | None:
    """The host of a redirect, None where it is no URL."""
    try:
        return urlsplit(location).hostname
    except ValueError:
        return None


def explain_failure(error: Exception) -> str:
    """Why a request failed. The error's own message is cut short: it may hold a URL."""
    if refused := tls.certificate_error(error):
        return f"the certificate is not accepted: {excerpt(refused)}"
    if cause_of(error, socket.gaierror):
        return "the name does not resolve; the Lambda has to see a DNS record of the domain"
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return f"no connection ({type(error).__name__}: {excerpt(str(error))})"
    return f"the connection broke ({type(error).__name__})"
