"""Pages of a list as ECR gives them: an absolute link with a cursor that only ECR of the same region can read."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from aiohttp import web

from testbed.sandbox.cloud import answers
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.hosts import RegistryHost

_CURSOR_START = b"\xfb\xff\xbe"
"""base64 of these is `+/++`: a cursor that has every character that needs care in a query."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How one kind of list is cut into pages.

    Attributes:
        usual: The entries of a page when the client names no size.
        largest: The largest size that a client may name, as `n`.
        cursor: The query parameter with the cursor.
        kept: The other parameters that the link repeats.
    """

    usual: int
    largest: int
    cursor: str
    kept: tuple[str, ...] = ()


def page(
    request: web.Request,
    host: RegistryHost,
    pages: Pages,
    names: list[str],
    body: Callable[[list[str]], web.Response],
) -> web.Response:
    """The page that a request asks for; ECR refuses a query that it does not understand with 405.

    Args:
        request: With the page's size and the cursor in its query.
        host: The registry, for the link to the next page.
        pages: How this list is cut.
        names: What identifies the entries, in order.
        body: Makes the answer of the entries of one page.
    """
    query = raw_query(request)
    pages = replace(pages, cursor=request.app[CLOUD].behaviour.list_cursor or pages.cursor)
    try:
        size = int(query.get("n", pages.usual))
        after = position(unquote(query[pages.cursor]), host.region) if pages.cursor in query else ""
    except ValueError:
        return _refused(answers.INVALID_CURSOR)
    if size < 1:
        return _refused(answers.PAGE_TOO_SMALL)
    if size > pages.largest:
        return _refused(answers.page_too_large(pages.largest))
    rest = [name for name in names if name > after]
    response = body(rest[:size])
    response.headers.update(answers.API_VERSION)
    if len(rest) > size:
        response.headers["Link"] = _link(
            f"https://{host}{request.path}", query, pages, cursor(rest[size - 1], host.region)
        )
    return response


def _refused(message: str) -> web.Response:
    return answers.registry_error(405, "UNSUPPORTED", message)


def raw_query(request: web.Request) -> dict[str, str]:
    """The query as the client wrote it: ECR reads `+` as itself."""
    return dict(pair.partition("=")[::2] for pair in request.raw_path.partition("?")[2].split("&"))


def _link(url: str, query: Mapping[str, str], pages: Pages, next_: str) -> str:
    repeated = [f"{name}={query[name]}" for name in ("n", *pages.kept) if name in query]
    return f'<{url}?{"&".join([*repeated, f"{pages.cursor}={next_}"])}>; rel="next"'


def cursor(last: str, region: str) -> str:
    """The cursor of a region's next page; always with `+`, `/` and `=` in it."""
    raw = _CURSOR_START + f"{region} {last}".encode()
    padded = raw if len(raw) % 3 else raw + b"\0"
    return base64.b64encode(padded).decode()


def position(cursor_: str, region: str) -> str:
    """The name after which a page begins.

    Raises:
        ValueError: ECR of this region never gave that cursor.
    """
    try:
        raw = base64.b64decode(cursor_, validate=True)
    except binascii.Error as error:
        message = "not base64"
        raise ValueError(message) from error
    start = _CURSOR_START + f"{region} ".encode()
    if not raw.startswith(start):
        message = "not a cursor of this registry"
        raise ValueError(message)
    return raw.removeprefix(start).rstrip(b"\0").decode()
