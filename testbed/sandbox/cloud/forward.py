"""One request, sent on to moto or to the registry, and its answer, as a stream or whole."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress

from aiohttp import ClientResponse, StreamReader, web
from multidict import CIMultiDict
from yarl import URL

from testbed.sandbox.cloud.cloud import CLOUD, entry

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-connection",
    "expect",
}
_CHUNK_BYTES = 256 * 1024
_READ = web.RequestKey("read", bytes)


def send(
    request: web.Request,
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    without: frozenset[str] = frozenset(),
) -> AbstractAsyncContextManager[ClientResponse]:
    """Send a request to another place: method and body as they are, the body as a stream unless it has been read.

    Args:
        request: What came in.
        url: The whole URL, already encoded.
        method: Replaces the request's own.
        headers: Replace those of the same name.
        without: Names, in lower case, of headers that stay here.
    """
    kept = CIMultiDict((n, v) for n, v in request.headers.items() if n.lower() not in _HOP_BY_HOP | without)
    kept.update(headers or {})
    return request.app[CLOUD].session.request(
        method or request.method,
        URL(url, encoded=True),
        headers=kept,
        data=_body(request),
        allow_redirects=False,
        skip_auto_headers=("User-Agent", "Content-Type", "Accept"),
    )


def _body(request: web.Request) -> bytes | StreamReader | None:
    if not request.body_exists:
        return None
    body: bytes | StreamReader = request.get(_READ, request.content)
    return body


async def read(request: web.Request) -> bytes:
    """The whole body, buffered so that it can still be forwarded."""
    request[_READ] = await request.read()
    return request[_READ]


async def relay(
    request: web.Request, answer: ClientResponse, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Hand an answer back as a stream, with its own headers or with `headers` instead."""
    own = CIMultiDict((n, v) for n, v in answer.headers.items() if n.lower() not in _HOP_BY_HOP)
    response = web.StreamResponse(status=answer.status, headers=own if headers is None else CIMultiDict(headers))
    entry(request).status = answer.status
    await response.prepare(request)
    with suppress(ConnectionResetError):  # a client may leave in the middle
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            await response.write(chunk)
            entry(request).sent_bytes += len(chunk)
        await response.write_eof()
    return response
