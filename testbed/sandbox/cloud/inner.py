"""Requests to the one real registry behind every registry host, and its answers in ECR's form.

Each account and region is a namespace in it: `team/app` of 123456789012 in ap-southeast-2 is
`123456789012/ap-southeast-2/team/app` there.
"""

import json
import re
from contextlib import AbstractAsyncContextManager

from aiohttp import ClientResponse, web

from testbed.sandbox.cloud import answers
from testbed.sandbox.cloud.endpoints import REGISTRY_URL
from testbed.sandbox.cloud.forward import relay, send
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.routes import Route

_KEPT = (
    "Content-Type",
    "Content-Length",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Docker-Upload-Uuid",
    "OCI-Subject",
    "Range",
)
_MOUNT_SOURCE = re.compile(r"(?<![^&])from=")
_MESSAGES = {"MANIFEST_UNKNOWN": answers.NO_IMAGE}


def ask(
    request: web.Request, host: RegistryHost, *, method: str | None = None
) -> AbstractAsyncContextManager[ClientResponse]:
    """Send a request on, without its credentials, and by another `method` where one is given."""
    path, _, query = request.raw_path.partition("?")
    inside = path.replace("/v2/", f"/v2/{host.prefix}/", 1)
    query = _MOUNT_SOURCE.sub(f"from={host.prefix}/", query)
    url = f"{REGISTRY_URL}{inside}{'?' if query else ''}{query}"
    return send(request, url, method=method, without=frozenset({"authorization", "host", "range"}))


async def pass_on(request: web.Request, host: RegistryHost, _: Route) -> web.StreamResponse:
    """Let the registry answer."""
    async with ask(request, host) as answer:
        if not answer.ok:
            return await error(answer)
        return await relay(request, answer, outside_headers(answer, host))


def outside_headers(answer: ClientResponse, host: RegistryHost) -> dict[str, str]:
    """The headers ECR would send, with its own host and without the namespace."""
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    location = answer.headers.get("Location")
    if location:
        headers["Location"] = f"https://{host}{location.replace(f'/v2/{host.prefix}/', '/v2/', 1)}"
    return headers


async def error(answer: ClientResponse) -> web.Response:
    """An error of the registry in ECR's words, without its details (they name the namespace)."""
    try:
        first = json.loads(await answer.read())["errors"][0]
        code, message = first["code"], first["message"]
    except (ValueError, KeyError, IndexError):
        code, message = "UNSUPPORTED", "The operation is unsupported."
    return answers.registry_error(answer.status, code, _MESSAGES.get(code, message))
