"""The lists of tags and of repositories."""

from aiohttp import web

from testbed.sandbox.cloud import inner
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.endpoints import REGISTRY_URL
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.pages import Pages, page
from testbed.sandbox.cloud.routes import Route

_PAGES = Pages(usual=100, largest=1000, cursor="last")


async def tags(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A page of a repository's tags, read from the real registry in its order."""
    url = f"{REGISTRY_URL}/v2/{host.prefix}/{route.repository}/tags/list"
    async with request.app[CLOUD].session.get(url) as answer:
        if not answer.ok:
            return await inner.error(answer)
        names = (await answer.json())["tags"] or []
    return page(
        request, host, _PAGES, names, lambda found: web.json_response({"name": route.repository, "tags": found})
    )


async def catalog(request: web.Request, host: RegistryHost, _: Route) -> web.StreamResponse:
    """A page of the account's repositories in this region."""
    names = sorted(request.app[CLOUD].repositories.get(host, ()))
    return page(request, host, _PAGES, names, lambda found: web.json_response({"repositories": found}))
