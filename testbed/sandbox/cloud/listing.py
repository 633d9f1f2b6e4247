"""Lists in pages as ECR gives them: absolute links with a cursor that only ECR can read."""

import base64
import binascii
from urllib.parse import unquote

from aiohttp import web

from testbed.sandbox.cloud import answers, inner
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.endpoints import REGISTRY_URL
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.routes import Route

_PAGE = 100
_LARGEST_PAGE = 1000
_CURSOR_START = b"\xfb\xff\xbe"
"""base64 of these is `+/++`: a cursor that has every character that needs care in a query."""


async def tags(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A page of a repository's tags, read from the real registry in its order."""
    url = f"{REGISTRY_URL}/v2/{host.prefix}/{route.repository}/tags/list"
    async with request.app[CLOUD].session.get(url) as answer:
        if not answer.ok:
            return await inner.error(answer)
        names = (await answer.json())["tags"] or []
    return _page(request, host, ("tags", names), {"name": route.repository})


async def catalog(request: web.Request, host: RegistryHost, _: Route) -> web.StreamResponse:
    """A page of the account's repositories in this region."""
    names = sorted(request.app[CLOUD].repositories.get(host, ()))
    return _page(request, host, ("repositories", names), {})


def cursor(last: str) -> str:
    """The cursor of the next page; always with `+`, `/` and `=` in it."""
    raw = _CURSOR_START + last.encode()
    padded = raw if len(raw) % 3 else raw + b"\0"
    return base64.b64encode(padded).decode()


def position(cursor_: str) -> str:
    """The name after which a page begins.

    Raises:
        ValueError: ECR never gave that cursor.
    """
    try:
        raw = base64.b64decode(cursor_, validate=True)
    except binascii.Error as error:
        message = "not base64"
        raise ValueError(message) from error
    if not raw.startswith(_CURSOR_START):
        message = "not a cursor of this registry"
        raise ValueError(message)
    return raw.removeprefix(_CURSOR_START).rstrip(b"\0").decode()


def _page(
    request: web.Request,
    host: RegistryHost,
    named: tuple[str, list[str]],
    extra: dict[str, str],
) -> web.Response:
    query = dict(pair.partition("=")[::2] for pair in request.raw_path.partition("?")[2].split("&"))
    try:
        size = int(query.get("n", _PAGE))
        after = position(unquote(query["last"])) if "last" in query else ""
    except ValueError:
        return answers.registry_error(400, "UNSUPPORTED", "Invalid parameter at 'nextToken'")
    if size < 1:
        return answers.registry_error(400, "UNSUPPORTED", answers.TOO_FEW_TAGS)
    if size > _LARGEST_PAGE:
        return answers.registry_error(400, "UNSUPPORTED", answers.TOO_MANY_TAGS)
    key, names = named
    rest = [name for name in names if name > after]
    headers = dict(answers.API_VERSION)
    if len(rest) > size:
        next_page = f"https://{host}{request.path}?n={size}&last={cursor(rest[size - 1])}"
        headers["Link"] = f'<{next_page}>; rel="next"'
    return web.json_response(extra | {key: rest[:size]}, headers=headers)
