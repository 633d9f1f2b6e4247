"""What a push sends: uploads and manifests go to the real registry as they come."""

from aiohttp import web

from sandbox.cloud import inner
from sandbox.cloud.forward import relay
from sandbox.cloud.hosts import RegistryHost
from sandbox.cloud.routes import Route

_CLIENT_ERROR = 400


async def write(request: web.Request, host: RegistryHost, _: Route) -> web.StreamResponse:
    """Hand an upload or a manifest on."""
    async with inner.ask(request, host) as answer:
        if answer.status >= _CLIENT_ERROR:
            return await inner.error(answer)
        return await relay(request, answer, inner.outside_headers(answer, host))
