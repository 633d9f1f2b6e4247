"""Other clients beside an attack: whole pulls of an image that is cached and of new ones, and the kubelet's probes."""

import hashlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event

import httpx2

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT
from testbed.soak.new_images import NewImages, Tagged
from testbed.soak.seen import OK, Pulls, Seen

TIMEOUT_SECONDS = 10
LIVE_SECONDS, READY_SECONDS = 5, 2
"""The chart's timeouts of the probes."""
PAUSE_SECONDS = 0.1
NEW_IMAGE_SECONDS = 0.9
PULLS_AT_ONCE = 24
ACCEPT = {
    "Accept": "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*"
}


@dataclass(frozen=True)
class Door:
    """Where a client connects to.

    Attributes:
        address: Of a pod.
        name: The host that it asks for.
        trust: For TLS; None: without.
    """

    address: str
    name: str
    trust: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        """Of nginx."""
        return HTTPS_PORT if self.trust else HTTP_PORT

    def open(self) -> HTTPConnection:
        """A connection for all requests of one pull."""
        made = socket.create_connection((self.address, self.port), timeout=TIMEOUT_SECONDS)
        connection = HTTPConnection(self.name, self.port)
        connection.sock = self.trust.wrap_socket(made, server_hostname=self.name) if self.trust else made
        connection.auto_open = 0
        return connection


def pull(door: Door, repository: str, tagged: Tagged) -> str:
    """Pull an image by tag and then by digest, whole; returns `ok`, or what is wrong."""
    manifests, blobs = (f"/v2/{repository}/{kind}" for kind in ("manifests", "blobs"))
    try:
        with closing(door.open()) as connection:
            return (
                _wrong_tag(connection, f"{manifests}/{tagged.tag}", tagged.image.digest)
                or _wrong_content(connection, manifests, tagged.image.digest)
                or next(filter(None, (_wrong_content(connection, blobs, digest) for digest in tagged.blobs)), OK)
            )
    except (OSError, HTTPException) as error:
        return type(error).__name__


def probe(address: str, path: str, timeout_seconds: float) -> str:
    """As the kubelet does; returns `ok`, or what is wrong."""
    try:
        with closing(HTTPConnection(address, HTTP_PORT, timeout=timeout_seconds)) as connection:
            answer = _answer(connection, "GET", path)
            answer.read()
            return OK if answer.status == HTTPStatus.OK else str(answer.status)
    except (OSError, HTTPException) as error:
        return type(error).__name__


def _answer(connection: HTTPConnection, method: str, path: str) -> HTTPResponse:
    connection.request(method, path, headers=ACCEPT)
    return connection.getresponse()


def _wrong_tag(connection: HTTPConnection, path: str, digest: str) -> str:
    answer = _answer(connection, "HEAD", path)
    answer.read()
    if answer.status != HTTPStatus.OK:
        return f"{answer.status} tag"
    return "" if answer.headers["Docker-Content-Digest"] == digest else "another digest of the tag"


def _wrong_content(connection: HTTPConnection, folder: str, digest: str) -> str:
    answer, kind = _answer(connection, "GET", f"{folder}/{digest}"), folder.rpartition("/")[2]
    content = answer.read()
    if answer.status != HTTPStatus.OK:
        return f"{answer.status} {kind}"
    return "" if digest == f"sha256:{hashlib.sha256(content).hexdigest()}" else f"other bytes of {kind}"


@contextmanager
def at_work(door: Door, images: NewImages, hot: Tagged) -> Iterator[Seen]:
    """Pull and probe until the block ends; then what was seen is complete."""
    seen, end = Seen(), Event()
    with ThreadPoolExecutor(4) as steady, ThreadPoolExecutor(PULLS_AT_ONCE) as pulls:
        running: list[Future[None]] = [
            steady.submit(_repeat, end, seen.cached, lambda: pull(door, images.repository, hot)),
            steady.submit(_repeat, end, seen.live, lambda: probe(door.address, "/-/live", LIVE_SECONDS)),
            steady.submit(_repeat, end, seen.ready, lambda: probe(door.address, "/-/ready", READY_SECONDS)),
            steady.submit(_pull_new_images, end, pulls, seen.uncached, lambda: _new_pull(door, images)),
        ]
        try:
            yield seen
        finally:
            end.set()
        for one in running:
            one.result()


def _repeat(end: Event, pulls: Pulls, ask: Callable[[], str]) -> None:
    while not end.wait(PAUSE_SECONDS):
        began = time.monotonic()
        pulls.note(ask(), time.monotonic() - began)


def _pull_new_images(
    end: Event, pool: ThreadPoolExecutor, pulls: Pulls, pull_one: Callable[[], tuple[str, float]]
) -> None:
    """One at each time, however long the others take."""
    begun = []
    while not end.wait(NEW_IMAGE_SECONDS):
        begun.append(pool.submit(pull_one))
    for one in begun:
        pulls.note(*one.result())


def _new_pull(door: Door, images: NewImages) -> tuple[str, float]:
    try:
        tagged = images.push()
    except (ValueError, httpx2.HTTPError) as error:
        return f"not pushed: {type(error).__name__}", 0
    began = time.monotonic()
    return pull(door, images.repository, tagged), time.monotonic() - began
