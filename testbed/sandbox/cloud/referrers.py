"""Referrers: the manifests that were pushed with a subject, in pages. The real registry has no list of them."""

import json
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from testbed.sandbox.cloud import forward, inner
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.pages import Pages, page, raw_query
from testbed.sandbox.cloud.publish import digest_of
from testbed.sandbox.cloud.routes import Route

_PAGES = Pages(usual=20, largest=50, cursor="nextToken", kept=("artifactType",))
_INDEX = "application/vnd.oci.image.index.v1+json"


async def push(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A manifest for the real registry; one with a subject becomes a referrer of it."""
    content = await forward.read(request)
    subject = _subject(content)
    async with inner.ask(request, host) as answer:
        if not answer.ok:
            return await inner.error(answer)
        headers = inner.outside_headers(answer, host)
        if subject:
            listed = request.app[CLOUD].referrers.setdefault((host, route.repository, subject), {})
            listed[digest_of(content)] = _descriptor(content, request.content_type)
            headers["OCI-Subject"] = subject
        return await forward.relay(request, answer, headers)


async def referrers(request: web.Request, host: RegistryHost, route: Route) -> web.StreamResponse:
    """A page of what refers to a manifest, as an image index; without a referrer, an empty one."""
    listed = request.app[CLOUD].referrers.get((host, route.repository, route.reference), {})
    wanted = unquote(raw_query(request).get("artifactType", ""))
    found = sorted(digest for digest, one in listed.items() if wanted in {"", one["artifactType"]})

    def index(digests: list[str]) -> web.Response:
        body = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [listed[digest] for digest in digests]}
        applied = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        # Without a charset: oras takes an answer of any other type for that of a registry without this list.
        return web.Response(body=json.dumps(body).encode(), content_type=_INDEX, headers=applied)

    return page(request, host, _PAGES, found, index)


def _subject(content: bytes) -> str:
    """The digest of a manifest's subject, or an empty text."""
    try:
        return str(json.loads(content)["subject"]["digest"])
    except (ValueError, KeyError, TypeError):
        return ""


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    document = json.loads(content)
    return {
        "mediaType": media_type,
        "digest": digest_of(content),
        "size": len(content),
        "artifactType": document.get("artifactType") or document.get("config", {}).get("mediaType", ""),
        "annotations": document.get("annotations", {}),
    }
