"""Blobs as ECR gives them: a redirect to the layer bucket, or their size."""

from urllib.parse import urlsplit

from aiohttp import web

from testbed.sandbox.cloud import answers, inner
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.endpoints import BACKING_AUTHORIZATION
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.routes import Route


async def blob(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A 307 to S3 for GET; 200 with the size, from ECR itself, for HEAD."""
    generated = request.app[CLOUD].generated.get(route.reference)
    if generated is not None:
        return _generated(request, host, route, generated.size_bytes)
    async with inner.ask(request, host) as answer:
        if answer.status != web.HTTPTemporaryRedirect.status_code:
            return await inner.error(answer)
        location = urlsplit(answer.headers["Location"])
    if request.method == "HEAD":
        return await _head(request, route, location._replace(query="").geturl())
    return _redirect(request, host, Layer.of(host, route.repository, location.path))


def _generated(request: web.Request, host: RegistryHost, route: Route, size_bytes: int) -> web.Response:
    if request.method == "HEAD":
        return _size(route, str(size_bytes))
    object_path = f"/blobs/sha256/{route.reference[7:9]}/{route.reference[7:]}/data"
    return _redirect(request, host, Layer.of(host, route.repository, object_path))


def _redirect(request: web.Request, host: RegistryHost, layer: Layer) -> web.Response:
    cloud = request.app[CLOUD]
    location = cloud.signer.location(layer, host.region, cloud.behaviour)
    return web.Response(status=307, headers=answers.API_VERSION | {"Location": location})


async def _head(request: web.Request, route: Route, stored_at: str) -> web.Response:
    session = request.app[CLOUD].session
    async with session.head(stored_at, headers={"Authorization": BACKING_AUTHORIZATION}) as stored:
        return _size(route, stored.headers["Content-Length"])


def _size(route: Route, size_bytes: str) -> web.Response:
    digest = {"Docker-Content-Digest": route.reference, "Content-Length": size_bytes}
    return web.Response(headers=answers.API_VERSION | digest, content_type="application/octet-stream")
