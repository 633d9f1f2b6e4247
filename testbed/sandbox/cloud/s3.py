"""S3: presigned GETs of layers, checked as S3 checks them and streamed; other requests are moto's or MiniStack's."""

import asyncio

from aiohttp import web

from testbed.sandbox.cloud import answers, body
from testbed.sandbox.cloud.cloud import CLOUD, Cloud, journalled, now
from testbed.sandbox.cloud.content import Content, Stored
from testbed.sandbox.cloud.endpoints import MINISTACK_URL, MOTO_URL
from testbed.sandbox.cloud.forward import relay, send
from testbed.sandbox.cloud.hosts import is_cdn_host, is_layer_host, layer_host
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.signature import Claim, Received, claim, is_genuine

_TWO_MECHANISMS = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
    "Signature query string parameter or the Authorization header should be specified"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


def application(cloud: Cloud) -> web.Application:
    """The server of every S3 host."""
    app = web.Application(middlewares=[journalled(_kind)], client_max_size=2**40)
    app[CLOUD] = cloud
    app.router.add_route("*", "/{path:.*}", _answer)
    return app


def _kind(request: web.Request) -> str:
    if is_cdn_host(request.host):
        return "cdn.layer"
    return "s3.layer" if is_layer_host(request.host) else "s3.other"


async def _answer(request: web.Request) -> web.StreamResponse:
    # A URL of the CDN has the signature that it would have at S3.
    host = layer_host(request.app[CLOUD].world.region) if is_cdn_host(request.host) else request.host
    received = Received(
        method=request.method,
        url=f"https://{host}{request.raw_path}",
        headers={name.lower(): value for name, value in request.headers.items()} | {"host": host},
    )
    head = request.method == "HEAD"
    if received.is_presigned and "authorization" in received.headers:
        return answers.s3_error(400, "InvalidArgument", _TWO_MECHANISMS, head=head)
    if not is_layer_host(host):
        other = MINISTACK_URL if request.app[CLOUD].behaviour.ministack_network else MOTO_URL
        async with send(request, f"{other}{request.raw_path}") as answer:
            return await relay(request, answer)
    return _refused(request.app[CLOUD], received) or await _layer(request)


def _refused(cloud: Cloud, received: Received) -> web.Response | None:
    """S3's error for a layer, None if it is allowed. In S3's order: key, signature, expiry."""
    head = received.method == "HEAD"
    try:
        signed = claim(received)
    except ValueError:
        return answers.s3_error(403, "AccessDenied", "Access Denied", head=head)
    if signed.key_id != cloud.signer.key_id:
        return _expired(signed, head=head)
    if not is_genuine(received, signed, cloud.signer.secret):
        return answers.s3_error(403, "SignatureDoesNotMatch", _MISMATCH, head=head)
    return _expired(signed, head=head) if signed.is_expired(now()) else None


def _expired(signed: Claim, *, head: bool) -> web.Response:
    times = (signed.signed_at + signed.valid_for, now())
    expires, server_time = (time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in times)
    details = (
        f"<X-Amz-Expires>{signed.valid_for.total_seconds():.0f}</X-Amz-Expires>"
        f"<Expires>{expires}</Expires><ServerTime>{server_time}</ServerTime>"
    )
    return answers.s3_error(403, "AccessDenied", "Request has expired", details=details, head=head)


async def _layer(request: web.Request) -> web.StreamResponse:
    wanted = request.app[CLOUD].behaviour_of(request.host)
    await asyncio.sleep(wanted.s3_delay_seconds)
    if wanted.s3_status is not None:
        code = {403: "AccessDenied", 404: "NoSuchKey", 500: "InternalError", 503: "SlowDown"}[wanted.s3_status]
        return answers.s3_error(wanted.s3_status, code, "Please try again.")
    layer = Layer.parse(request.path)
    content = _content(request.app[CLOUD], layer) if layer else None
    if layer is None or content is None:
        return answers.s3_error(404, "NoSuchKey", "The specified key does not exist.")
    return await body.send(request, layer, content)


def _content(cloud: Cloud, layer: Layer) -> Content | None:
    generated = cloud.generated.get(f"sha256:{layer.digest}")
    if generated is not None:
        return generated
    file = cloud.world.registry_storage / layer.stored_as
    return Stored(file) if file.exists() else None
