"""What a pull asks for: manifests inline, blobs as a 307 to the layer bucket."""

from urllib.parse import urlsplit

from aiohttp import web

from sandbox.cloud import answers, inner
from sandbox.cloud.cloud import CLOUD
from sandbox.cloud.endpoints import BACKING_REGION, moto_authorization
from sandbox.cloud.forward import relay
from sandbox.cloud.hosts import RegistryHost
from sandbox.cloud.locations import Layer
from sandbox.cloud.routes import Route

_CLIENT_ERROR = 400


async def manifest(request: web.Request, host: RegistryHost, _: Route) -> web.StreamResponse:
    """A manifest, inline."""
    async with inner.ask(request, host) as answer:
        if answer.status >= _CLIENT_ERROR:
            return await inner.error(answer)
        return await relay(request, answer, inner.outside_headers(answer, host))


async def blob(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A 307 to S3 for GET; 200 with the size, from ECR itself, for HEAD."""
    async with inner.ask(request, host) as answer:
        if answer.status != web.HTTPTemporaryRedirect.status_code:
            return await inner.error(answer)
        location = answer.headers["Location"]
    if request.method == "HEAD":
        return await _head(request, route, location)
    cloud = request.app[CLOUD]
    layer = Layer.of(host, route.repository, urlsplit(location).path)
    headers = answers.API_VERSION | {"Location": cloud.signer.location(layer, host.region, cloud.behaviour)}
    return web.Response(status=307, headers=headers)


async def referrers(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """Whatever the registry says; today it has no such endpoint, which clients take for "look at the tags"."""
    return await manifest(request, host, route)


async def _head(request: web.Request, route: Route, location: str) -> web.Response:
    authorization = moto_authorization("AKIAREGISTRY", region=BACKING_REGION, service="s3")
    plain = urlsplit(location)._replace(query="").geturl()
    async with request.app[CLOUD].session.head(plain, headers={"Authorization": authorization}) as stored:
        size_bytes = stored.headers["Content-Length"]
    digest = {"Docker-Content-Digest": route.reference, "Content-Length": size_bytes}
    return web.Response(headers=answers.API_VERSION | digest, content_type="application/octet-stream")
