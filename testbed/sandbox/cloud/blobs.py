"""Blobs as ECR gives them: a redirect to the layer bucket, or their size."""

from aiohttp import web

from testbed.sandbox.cloud import answers, imports, inner
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.locations import Layer
from testbed.sandbox.cloud.routes import Route


async def blob(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A 307 to S3 for GET; 200 with the size, from ECR itself, for HEAD."""
    size_bytes = await _size_bytes(request, host, route)
    if size_bytes is None:
        return await inner.pass_on(request, host, route)
    if request.method == "HEAD":
        digest = {"Docker-Content-Digest": route.reference, "Content-Length": str(size_bytes)}
        return web.Response(headers=answers.API_VERSION | digest, content_type="application/octet-stream")
    cloud = request.app[CLOUD]
    layer = Layer.of(host, route.repository, route.reference)
    behaviour = cloud.behaviour.of(host.region)
    if cloud.behaviour.imports_redirect and imports.is_mirrored(cloud, host, route.repository):
        behaviour = behaviour.model_copy(update={"location_host": cloud.world.cdn_host})
    location = cloud.signer.location(layer, host.region, behaviour)
    return web.Response(status=307, headers=answers.API_VERSION | {"Location": location})


async def _size_bytes(request: web.Request, host: RegistryHost, route: Route) -> int | None:
    """The size of a blob; `None` where the repository has none of this digest."""
    generated = request.app[CLOUD].generated.get(route.reference)
    if generated is not None:
        return generated.size_bytes
    async with inner.ask(request, host, method="HEAD") as answer:
        return int(answer.headers["Content-Length"]) if answer.ok else None
