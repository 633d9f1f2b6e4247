"""The body of a layer: whole or a range, at the rate and length that the behaviour sets."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime

from aiohttp import web

from testbed.sandbox.cloud import answers
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.cloud import CLOUD, entry, now
from testbed.sandbox.cloud.content import Content
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.ranges import Unsatisfiable, selected

_CHUNK_BYTES = 256 * 1024
_STEPS_PER_SECOND = 20
_DAY = timedelta(days=1)


async def send(request: web.Request, layer: Layer, content: Content) -> web.StreamResponse:
    """Answer a GET of a layer."""
    size_bytes = content.size_bytes
    try:
        chosen = selected(request.headers.get("Range"), size_bytes)
    except Unsatisfiable:
        answer = answers.s3_error(416, "InvalidRange", "The requested range is not satisfiable")
        answer.headers["Content-Range"] = f"bytes */{size_bytes}"
        return answer
    wanted = request.app[CLOUD].behaviour_of(request.host)
    response = web.StreamResponse(status=200 if chosen is None else 206, headers=_headers(layer, content, wanted))
    if chosen is not None:
        response.headers["Content-Range"] = f"bytes {chosen.start}-{chosen.stop - 1}/{size_bytes}"
    offsets = range(size_bytes) if chosen is None else chosen
    response.content_length = len(offsets)
    entry(request).status = response.status
    await response.prepare(request)
    with suppress(ConnectionResetError):  # a client may leave in the middle
        await _stream(request, response, content, offsets)
    return response


def _headers(layer: Layer, content: Content, wanted: Behaviour) -> dict[str, str]:
    """As S3 sends them for a layer; the Expires in the past is ECR's own object metadata."""
    identity = f"{layer.owner}{layer.digest}" if wanted.s3_etag_per_repository else layer.digest
    etag = hashlib.sha256(identity.encode()).hexdigest()
    age = timedelta(minutes=int(etag[:4], 16)) if wanted.s3_etag_per_repository else timedelta()
    modified_at = now().fromtimestamp(content.modified_at, tz=now().tzinfo) - age
    return {
        "Accept-Ranges": "bytes",
        "Content-Type": wanted.layer_content_type,
        "ETag": f'"{etag[:32]}"',
        "Expires": format_datetime(now() - _DAY, usegmt=True),
        "Last-Modified": format_datetime(modified_at, usegmt=True),
        "Server": "AmazonS3",
    }


async def _stream(request: web.Request, response: web.StreamResponse, content: Content, offsets: range) -> None:
    """Write the bytes; a changed behaviour applies from the next step."""
    cloud, seen = request.app[CLOUD], entry(request)
    at = offsets.start
    while at < offsets.stop:
        wanted = cloud.behaviour_of(request.host)
        left_bytes = _left_bytes(wanted, seen.sent_bytes)
        if left_bytes <= 0:
            _cut(request)
            return
        step_bytes = min(_step_bytes(wanted), offsets.stop - at, left_bytes)
        chunk = content.read(at, step_bytes)
        await response.write(chunk)
        at += len(chunk)
        seen.sent_bytes += len(chunk)
        if wanted.s3_bytes_per_second:
            await asyncio.sleep(len(chunk) / wanted.s3_bytes_per_second)
    await response.write_eof()


def _step_bytes(wanted: Behaviour) -> int:
    if wanted.s3_bytes_per_second is None:
        return _CHUNK_BYTES
    return max(1, min(_CHUNK_BYTES, wanted.s3_bytes_per_second // _STEPS_PER_SECOND))


def _left_bytes(wanted: Behaviour, sent_bytes: int) -> int:
    return _CHUNK_BYTES if wanted.s3_cut_after_bytes is None else wanted.s3_cut_after_bytes - sent_bytes


def _cut(request: web.Request) -> None:
    """Close the connection in the middle of the body; what was written before still arrives."""
    if request.transport is not None:
        request.transport.close()
