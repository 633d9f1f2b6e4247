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
    async with inner.ask(request, host) as answer:
        if answer.status != web.HTTPTemporaryRedirect.status_code:
            return await inner.error(answer)
        location = urlsplit(answer.headers["Location"])
    if request.method == "HEAD":
        return await _head(request, route, location._replace(query="").geturl())
    cloud = request.app[CLOUD]
    layer = Layer.of(host, route.repository, location.path)
    headers = answers.API_VERSION | {"Location": cloud.signer.location(layer, host.region, cloud.behaviour)}
    return web.Response(status=307, headers=headers)


async def _head(request: web.Request, route: Route, stored_at: str) -> web.Response:
    session = request.app[CLOUD].session
    async with session.head(stored_at, headers={"Authorization": BACKING_AUTHORIZATION}) as stored:
        size_bytes = stored.headers["Content-Length"]
    digest = {"Docker-Content-Digest": route.reference, "Content-Length": size_bytes}
    return web.Response(headers=answers.API_VERSION | digest, content_type="application/octet-stream")
