"""The canary's pull over a transport without sockets: what it asks, what it checks, and what it says of a failure."""

import json
import socket
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from itertools import count

import httpx2
import pytest

from lambda_fn.contract.errors import CanaryError
from lambda_fn.edges.canary import Canary
from lambda_fn.job.image import BLOB_LIMIT_BYTES, smallest_blob
from lambda_fn.settings import Settings, parse_toml
from tests.contract.cluster import SETTINGS

ORIGIN = "https://registry.frontdoor.test"
S3 = "https://layers.s3.example.net/layer?X-Amz-Signature=abcdef"


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


CONFIG = b'{"architecture": "arm64"}'
MANIFEST = json.dumps(
    {
        "config": {"digest": digest(CONFIG), "size": len(CONFIG)},
        "layers": [{"digest": digest(b"large"), "size": 1 << 30}],
    }
).encode()
INDEX = json.dumps({"manifests": [{"digest": digest(MANIFEST), "size": len(MANIFEST)}]}).encode()
TAG = "/v2/team/canary/manifests/latest"
BLOB = f"/v2/team/canary/blobs/{digest(CONFIG)}"


def with_canary(more: str = "") -> Settings:
    proxy = SETTINGS.replace('kind = "service" },', f'kind = "service" }}, {more}')
    return parse_toml(f'{proxy}canary = {{ repository = "team/canary", reference = "latest" }}', "the test's settings")


class Site:
    """Answers by URL, and what was asked."""

    def __init__(self, answers: dict[str, httpx2.Response | Exception]) -> None:
        self.asked: list[httpx2.Request] = []
        self._answers = answers

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        found = self._answers[str(request.url).removeprefix(ORIGIN)]
        if isinstance(found, Exception):
            raise found
        return found


def canary(
    deployed: Settings, transport: httpx2.BaseTransport | None = None, now: Callable[[], float] = time.monotonic
) -> Canary:
    assert deployed.canary is not None
    redirects = deployed.proxy.blobs == "redirect"
    return Canary(deployed.canary, domain=deployed.domain, may_redirect_blobs=redirects, transport=transport, now=now)


def pull(site: Site, deployed: Settings | None = None, now: Callable[[], float] | None = None) -> float:
    transport = httpx2.MockTransport(site)
    return canary(deployed or with_canary(), transport, now or count(step=1).__next__).pull()


def ok(content: bytes) -> httpx2.Response:
    return answer(200, content)


def answer(status: int, content: bytes = b"", location: str | None = None) -> httpx2.Response:
    """An answer that is read as it comes."""
    headers = {} if location is None else {"Location": location}
    return httpx2.Response(status, headers=headers, content=iter([content]))


def test_a_pull_is_a_manifest_and_its_smallest_blob_without_a_credential() -> None:
    site = Site({TAG: ok(MANIFEST), BLOB: ok(CONFIG)})
    assert pull(site) > 0
    assert [request.url.path for request in site.asked] == [TAG, BLOB]
    assert {"authorization", "cookie"} & {name for request in site.asked for name in request.headers} == set()


def test_an_index_is_followed_to_its_first_manifest() -> None:
    child = f"/v2/team/canary/manifests/{digest(MANIFEST)}"
    site = Site({TAG: ok(INDEX), child: ok(MANIFEST), BLOB: ok(CONFIG)})
    pull(site)
    assert [request.url.path for request in site.asked] == [TAG, child, BLOB]


def test_a_blob_is_followed_to_s3_where_clients_are_sent_there() -> None:
    site = Site({TAG: ok(MANIFEST), BLOB: answer(307, location=S3), S3: ok(CONFIG)})
    pull(site, with_canary('blobs = "redirect",'))
    assert str(site.asked[-1].url) == S3


FAILURES = {
    "status": ({TAG: answer(503, b"no credential")}, "answered 503: no credential"),
    "no manifest": ({TAG: ok(b"<html>")}, "something that is not a manifest: <html>"),
    "deep": ({TAG: ok(b"[" * 200_000)}, "something that is not a manifest: [["),
    "no object": ({TAG: ok(b"[]")}, "something that is not a manifest: []"),
    "no blobs": ({TAG: ok(b'{"config": null, "layers": [], "manifests": []}')}, "has no blob of at most"),
    "no list": ({TAG: ok(b'{"layers": {}}')}, "has layers that is not a list: {}"),
    "no index": ({TAG: ok(b'{"manifests": "all"}')}, 'has manifests that is not a list: "all"'),
    "large blobs": (
        {TAG: ok(json.dumps({"config": {"digest": digest(b""), "size": BLOB_LIMIT_BYTES + 1}}).encode())},
        "has no blob of at most",
    ),
    "other bytes": ({TAG: ok(MANIFEST), BLOB: ok(CONFIG[:-1] + b"]")}, "and not the content of that digest"),
    "fewer bytes": ({TAG: ok(MANIFEST), BLOB: ok(CONFIG[:-1])}, "and not the content of that digest"),
    "more bytes": ({TAG: ok(MANIFEST), BLOB: ok(CONFIG + b" ")}, f"more than the expected {len(CONFIG)} bytes"),
    "redirect": ({TAG: ok(MANIFEST), BLOB: answer(307, location=S3)}, "answered 307"),
    "silence": ({TAG: httpx2.ReadTimeout("")}, "the connection broke (ReadTimeout)"),
    "no connection": ({TAG: httpx2.ConnectError("Connection refused")}, "no connection (ConnectError: Connection ref"),
}


@pytest.mark.parametrize(("answers", "message"), FAILURES.values(), ids=FAILURES)
def test_what_is_wrong_is_named(answers: dict[str, httpx2.Response | Exception], message: str) -> None:
    with pytest.raises(CanaryError) as caught:
        pull(Site(answers))
    assert message in str(caught.value)


DESCRIPTORS = {
    "number": (1, ": 1"),
    "no digest": ({"size": 1}, 'lists an entry without a SHA-256 digest and a size in bytes: {"size": 1}'),
    "no size": ({"digest": digest(b"")}, "lists an entry without a SHA-256 digest and a size in bytes"),
    "negative size": ({"digest": digest(b""), "size": -1}, '"size": -1}'),
    "true": ({"digest": digest(b""), "size": True}, '"size": true}'),
    "fraction": ({"digest": digest(b""), "size": 1.5}, '"size": 1.5}'),
    "infinity": ({"digest": digest(b""), "size": float("inf")}, '"size": Infinity}'),
    "text": ({"digest": digest(b""), "size": "1"}, '"size": "1"}'),
    "short digest": ({"digest": "sha256:0", "size": 1}, '"digest": "sha256:0"'),
    "other algorithm": ({"digest": f"sha512:{'0' * 128}", "size": 1}, "without a SHA-256 digest"),
    "path": ({"digest": "../../x", "size": 1}, '"digest": "../../x"'),
}


@pytest.mark.parametrize("place", ["config", "layers", "manifests"])
@pytest.mark.parametrize(("descriptor", "message"), DESCRIPTORS.values(), ids=DESCRIPTORS)
def test_what_an_image_lists_is_a_digest_and_a_size_or_a_failed_pull(
    descriptor: object, message: str, place: str
) -> None:
    fine = {"config": {"digest": digest(CONFIG), "size": len(CONFIG)}}
    listed = {place: descriptor if place == "config" else [descriptor]}
    with pytest.raises(CanaryError) as caught:
        pull(Site({TAG: ok(json.dumps(fine | listed).encode()), BLOB: ok(CONFIG)}))
    assert message in str(caught.value)


def test_deep_brackets_among_the_layers_are_a_failed_pull() -> None:
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(CanaryError, match="digest and a size in bytes: brackets, thousands deep"):
        smallest_blob({"layers": deep})


def test_a_name_that_does_not_resolve_is_named_as_the_cause() -> None:
    error = httpx2.ConnectError("[Errno -2] Name or service not known")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    with pytest.raises(CanaryError, match="the name does not resolve"):
        pull(Site({TAG: error}))


@pytest.mark.parametrize("location", ["http://layers.s3.example.net/layer", "", "/layer", "//["])
def test_a_redirect_is_followed_over_tls_alone(location: str) -> None:
    site = Site({TAG: ok(MANIFEST), BLOB: answer(307, location=location)})
    with pytest.raises(CanaryError, match="not over TLS"):
        pull(site, with_canary('blobs = "redirect",'))


def test_no_signature_is_in_the_message_of_a_failure_at_s3() -> None:
    refused = answer(403, b"<Error><Code>AccessDenied</Code></Error>")
    site = Site({TAG: ok(MANIFEST), BLOB: answer(307, location=S3), S3: refused})
    with pytest.raises(CanaryError, match=r"redirected to layers\.s3\.example\.net answered 403") as caught:
        pull(site, with_canary('blobs = "redirect",'))
    assert "abcdef" not in str(caught.value)


def test_a_manifest_by_digest_has_that_digest() -> None:
    by_digest = parse_toml(
        f'{SETTINGS}canary = {{ repository = "team/canary", reference = "{digest(MANIFEST)}" }}', "the test's settings"
    )
    site = Site({f"/v2/team/canary/manifests/{digest(MANIFEST)}": ok(MANIFEST + b" ")})
    with pytest.raises(CanaryError, match="and not the content of that digest"):
        pull(site, by_digest)


def test_bytes_that_come_too_slowly_end_the_pull() -> None:
    def drops() -> Iterable[bytes]:
        yield from (b"{", b"}")

    site = Site({TAG: httpx2.Response(200, content=drops())})
    with pytest.raises(CanaryError, match="not complete in time, after 1 bytes"):
        pull(site, now=count(step=15).__next__)


@pytest.mark.parametrize(
    ("location", "message"),
    [("https://[", "redirected to an invalid URL"), ("https://a:b/", r"the connection broke \(InvalidURL\)")],
)
def test_a_redirect_to_what_is_no_url_is_a_failed_pull(location: str, message: str) -> None:
    site = Site({TAG: ok(MANIFEST), BLOB: answer(307, location=location)})
    with pytest.raises(CanaryError, match=message):
        pull(site, with_canary('blobs = "redirect",'))


def test_a_redirect_to_a_name_that_no_resolver_takes_is_a_failed_pull() -> None:
    deployed = with_canary().model_copy(update={"domain": "a..b"})
    with pytest.raises(CanaryError, match="the connection broke"):
        canary(deployed).pull()


@pytest.mark.parametrize(("allowed_seconds", "asked"), [(0.5, 0), (2.5, 1)])
def test_nothing_is_asked_once_the_time_is_over(allowed_seconds: float, asked: int) -> None:
    site = Site({TAG: ok(MANIFEST), BLOB: ok(CONFIG)})
    transport = httpx2.MockTransport(site)
    prepared = canary(with_canary(), transport, count(step=1).__next__)
    with pytest.raises(CanaryError, match="no time was left"):
        prepared.pull(allowed_seconds=allowed_seconds)
    assert len(site.asked) == asked
