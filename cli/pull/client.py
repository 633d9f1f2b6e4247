"""Pulls an image over HTTPS without a login, measures every request, and verifies every digest."""

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http import HTTPStatus
from socket import gaierror
from ssl import SSLContext
from threading import Event
from typing import Any

import httpx2

from cli.pull.manifest import Part, PullError, blobs_of, digest_of, manifest_for
from cli.pull.reference import Reference
from lambda_fn.contract.media_types import ACCEPT
from lambda_fn.edges import tls
from lambda_fn.edges.canary import MANIFEST_LIMIT_BYTES
from lambda_fn.edges.causes import cause_of
from lambda_fn.job.image import parse_manifest
from lambda_fn.job.redact import excerpt

AT_ONCE = 3
"""How many blobs docker downloads at the same time:
https://docs.docker.com/reference/cli/dockerd/ (max-concurrent-downloads)
"""
_QUOTED_BYTES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One request of a pull.

    Attributes:
        kind: `index`, `manifest`, `config` or `layer`.
        digest: Of what was received, computed here.
        size_bytes: Of what was received.
        first_byte_seconds: Until the header of the answer.
        seconds: Until its end.
        warning: The header `Warning` of the answer, with which the front door names a stale tag; empty without one.
    """

    kind: str
    digest: str
    size_bytes: int
    first_byte_seconds: float
    seconds: float
    warning: str = ""


class Puller:
    """Pulls from one host. Close it afterwards.

    Attributes:
        on_bytes: Gets the size of each piece of a blob, in any thread.
    """

    def __init__(
        self,
        host: str,
        trusted: SSLContext,
        timeout_seconds: float,
        *,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Prepare it."""
        self._host = host
        self._ended = Event()
        self.on_bytes: Callable[[int], object] = lambda _: None
        self._client = httpx2.Client(
            transport=transport or httpx2.HTTPTransport(verify=trusted, trust_env=False),
            trust_env=False,
            timeout=timeout_seconds,
            headers={"User-Agent": "frontdoor-pull", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def manifests(self, image: Reference, platform: str) -> tuple[list[Fetched], tuple[Part, ...]]:
        """The image's manifest, by way of its index if it has one, and the blobs that it lists.

        Raises:
            PullError: A request failed, a digest is wrong, or the image is not for the platform.
        """
        fetched, found = self._manifest(image.repository, image.reference)
        all_fetched = [fetched]
        if "manifests" in found:
            child = manifest_for(found, platform)
            fetched, found = self._manifest(image.repository, child.digest)
            all_fetched.append(fetched)
        return all_fetched, blobs_of(found)

    def blobs(self, repository: str, parts: tuple[Part, ...]) -> list[Fetched]:
        """Every blob, a few at a time as docker does; nothing is kept.

        Raises:
            PullError: A request failed, or a digest or size is wrong.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = [pool.submit(self._blob, repository, part) for part in parts]
            try:
                for done in as_completed(running):
                    done.result()
            except BaseException:
                # The others may have gigabytes to go, and the pool waits for them.
                self._ended.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return [done.result() for done in running]

    def _manifest(self, repository: str, reference: str) -> tuple[Fetched, dict[str, Any]]:
        path = f"/v2/{repository}/manifests/{reference}"
        asked = self._asked(path)
        content = bytearray()

        def take(piece: bytes) -> None:
            content.extend(piece)
            if len(content) > MANIFEST_LIMIT_BYTES:
                raise PullError(f"{asked} returned more than {MANIFEST_LIMIT_BYTES} bytes, the most for a manifest")

        first, seconds, headers = self._get(path, take, accept=ACCEPT)
        digest, manifest = digest_of(bytes(content)), parse_manifest(asked, bytes(content), PullError)
        named = reference if reference.startswith("sha256:") else headers.get("Docker-Content-Digest")
        if named and named != digest:
            raise PullError(f"{asked} returned content with digest {digest}, and not that of {named}. {_DAMAGED}")
        fetched = Fetched(
            kind="index" if "manifests" in manifest else "manifest",
            digest=digest,
            size_bytes=len(content),
            first_byte_seconds=first,
            seconds=seconds,
            warning=headers.get("Warning", ""),
        )
        return fetched, manifest

    def _blob(self, repository: str, part: Part) -> Fetched:
        path = f"/v2/{repository}/blobs/{part.digest}"
        sha256, size = hashlib.sha256(), 0

        def take(piece: bytes) -> None:
            nonlocal size
            if self._ended.is_set():
                raise PullError(f"{self._asked(path)} was ended, because another part failed")
            sha256.update(piece)
            size += len(piece)
            if size > part.size_bytes:
                raise PullError(f"{self._asked(path)} returned more than the {part.size_bytes} bytes of the manifest")
            self.on_bytes(len(piece))

        first, seconds, _ = self._get(path, take)
        digest = f"sha256:{sha256.hexdigest()}"
        if (digest, size) != (part.digest, part.size_bytes):
            raise PullError(
                f"{self._asked(path)} returned {size} bytes with digest {digest}, and not the {part.size_bytes} bytes "
                f"of {part.digest}. {_DAMAGED}"
            )
        return Fetched(kind=part.kind, digest=digest, size_bytes=size, first_byte_seconds=first, seconds=seconds)

    def _get(
        self, path: str, take: Callable[[bytes], None], *, accept: str = "*/*"
    ) -> tuple[float, float, Mapping[str, str]]:
        asked, started_at = self._asked(path), time.monotonic()
        try:
            # With proxy.blobs = "redirect" a blob is at S3; httpx2 sends no header of ours there that matters.
            with self._client.stream(
                "GET", f"https://{self._host}{path}", headers={"Accept": accept}, follow_redirects="/blobs/" in path
            ) as answer:
                first_byte_seconds = time.monotonic() - started_at
                if answer.status_code != HTTPStatus.OK:
                    text = next(answer.iter_raw(_QUOTED_BYTES), b"")[:_QUOTED_BYTES].decode(errors="replace")
                    raise PullError(f"{asked} answered {answer.status_code}: {excerpt(text)}")
                if answer.url.scheme != "https":
                    raise PullError(f"{asked} was redirected to {answer.url.host} without TLS")
                for piece in answer.iter_raw():
                    take(piece)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise PullError(f"{asked}: {_explain(error, self._host)}") from error
        return first_byte_seconds, time.monotonic() - started_at, answer.headers

    def _asked(self, path: str) -> str:
        return f"GET https://{self._host}{path}"


_DAMAGED = "Fix: pull again; if it stays, purge the cache with frontdoor refresh --purge-cache"


def _explain(error: Exception, host: str) -> str:
    """Why a request failed. The error's own message is cut short: it may hold a URL."""
    if refused := tls.certificate_error(error):
        return f"the certificate of {host} is not accepted: {excerpt(refused)}. Fix: trust its authority with --ca FILE"
    if cause_of(error, gaierror):
        return f"{host} does not resolve here. Fix: run this where clients are, such as on the VPN"
    return f"the connection failed ({type(error).__name__}: {excerpt(str(error))}). Fix: run this where clients are"
