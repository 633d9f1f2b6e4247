"""Manifests: pulls are noted, and an image that a lifecycle rule has taken away is not found."""

from aiohttp import web

from testbed.sandbox.cloud import answers, forward, inner, referrers
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.lifecycle import ImageId
from testbed.sandbox.cloud.publish import digest_of
from testbed.sandbox.cloud.routes import Route


async def manifest(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A manifest from or for the real registry."""
    if request.method == "PUT":
        return await _push(request, host, route)
    if request.method not in {"GET", "HEAD"}:
        return await inner.pass_on(request, host, route)
    lifecycle = request.app[CLOUD].lifecycle
    async with inner.ask(request, host) as answer:
        if not answer.ok:
            return await inner.error(answer)
        image = ImageId(host, route.repository, answer.headers["Docker-Content-Digest"])
        if lifecycle.is_hidden(image):
            return answers.unknown_image()
        if request.method == "GET" and not _is_excluded(request, host):
            lifecycle.pulled(image)
        return await forward.relay(request, answer, inner.outside_headers(answer, host))


def _is_excluded(request: web.Request, host: RegistryHost) -> bool:
    cloud = request.app[CLOUD]
    return cloud.pull_exclusions.excludes(host.region, cloud.tokens.principal(request.headers.get("Authorization")))


async def _push(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    response = await referrers.push(request, host, route)
    if response.status == web.HTTPCreated.status_code:
        content = await forward.read(request)
        image = ImageId(host, route.repository, digest_of(content))
        request.app[CLOUD].lifecycle.pushed(image)
        request.app[CLOUD].pushed_images.pushed(image, route.reference, request.content_type, content)
    return response
