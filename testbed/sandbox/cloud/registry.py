"""ECR's registries, in front of the real one: authentication, errors, redirects and headers as ECR gives them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from testbed.sandbox.cloud import answers, blobs, imports, inner, listing, manifests, referrers, routes
from testbed.sandbox.cloud.cloud import CLOUD, Cloud, journalled
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.routes import Route
from testbed.sandbox.cloud.tokens import Verdict

_Handler = Callable[[web.Request, RegistryHost, Route], Awaitable[web.StreamResponse]]


async def _ping(*_: object) -> web.StreamResponse:
    return web.json_response({}, headers=answers.API_VERSION)


_HANDLERS: dict[str, _Handler] = {
    "ping": _ping,
    "blobs": blobs.blob,
    "manifests": manifests.manifest,
    "referrers": referrers.referrers,
    "tags": listing.tags,
    "catalog": listing.catalog,
}


def application(cloud: Cloud) -> web.Application:
    """The server of every registry host."""
    app = web.Application(middlewares=[journalled(_kind)], client_max_size=2**40)
    app[CLOUD] = cloud
    app.router.add_route("*", "/{path:.*}", _answer)
    app.on_response_prepare.append(_forbid_keeping)
    return app


async def _forbid_keeping(request: web.Request, response: web.StreamResponse) -> None:
    if request.app[CLOUD].behaviour_of(request.host).registry_forbids_caching:
        response.headers.update(answers.NO_CACHING_HEADERS)


def _kind(request: web.Request) -> str:
    route = routes.parse(request.method, request.path)
    return f"registry.{route.kind}" if route else "registry.unknown"


async def _answer(request: web.Request) -> web.StreamResponse:
    cloud = request.app[CLOUD]
    host = RegistryHost.parse(request.host)
    if host is None:
        return answers.registry_error(403, "DENIED", f"{request.host} is no registry of Amazon ECR")
    refused = _unauthenticated(request, cloud, host)
    if refused:
        return refused
    route = routes.parse(request.method, request.path)
    if route is None:
        return answers.registry_error(404, "UNSUPPORTED", "The operation is unsupported.")
    refused = _too_many(cloud, host, route) or await _faulty(cloud, host, route)
    refused = refused or _invalid(route) or _denied(request, host, route)
    refused = refused or await imports.import_missing(request, host, route) or _unknown(cloud, host, route)
    return refused or await _HANDLERS.get(route.kind, inner.pass_on)(request, host, route)


def _unauthenticated(request: web.Request, cloud: Cloud, host: RegistryHost) -> web.Response | None:
    match cloud.tokens.check(request.headers.get("Authorization"), host.region):
        case Verdict.ABSENT:
            return answers.not_authorized(host)
        case Verdict.INVALID:
            return answers.registry_error(400, "DENIED", answers.INVALID)
        case Verdict.EXPIRED:
            return answers.registry_error(403, "DENIED", answers.EXPIRED)
    return None


def _too_many(cloud: Cloud, host: RegistryHost, route: Route) -> web.Response | None:
    """ECR counts each action apart, so pushes are no part of what is allowed."""
    allowed, now = cloud.behaviour.of(host.region).registry_requests_per_second, time.monotonic()
    if allowed is None or route.pushes:
        return None
    while cloud.recent and cloud.recent[0] < now - 1:
        cloud.recent.popleft()
    if len(cloud.recent) >= allowed:
        return answers.registry_error(429, "TOOMANYREQUESTS", "Rate exceeded")
    cloud.recent.append(now)
    return None


async def _faulty(cloud: Cloud, host: RegistryHost, route: Route) -> web.Response | None:
    """The fault set for this action when the request arrived, after any hold or delay; None without one."""
    wanted = cloud.behaviour.of(host.region)
    async with cloud.behaves_anew:
        await cloud.behaves_anew.wait_for(
            lambda: route.action not in cloud.behaviour.of(host.region).registry_held_actions
        )
    if wanted.registry_actions and route.action not in wanted.registry_actions:
        return None
    await asyncio.sleep(wanted.registry_delay_seconds)
    if wanted.registry_status is None:
        return None
    throttled = wanted.registry_status == web.HTTPTooManyRequests.status_code
    code, message = ("TOOMANYREQUESTS", "Rate exceeded") if throttled else ("UNKNOWN", "Internal failure")
    retry_after_seconds = wanted.registry_retry_after_seconds
    return answers.registry_error(wanted.registry_status, code, message, retry_after_seconds=retry_after_seconds)


def _invalid(route: Route) -> web.Response | None:
    if route.has_invalid_name:
        return answers.invalid_parameter("repositoryName", routes.REPOSITORY)
    return answers.invalid_parameter("imageTag", routes.TAG) if route.has_invalid_tag else None


def _denied(request: web.Request, host: RegistryHost, route: Route) -> web.Response | None:
    cloud = request.app[CLOUD]
    if route.action in cloud.behaviour.of(host.region).denied_actions:
        return answers.denied_action(host, route, cloud.tokens.principal(request.headers["Authorization"]))
    return None


def _unknown(cloud: Cloud, host: RegistryHost, route: Route) -> web.Response | None:
    known = cloud.repositories.setdefault(host, set())
    if route.writes:
        known.add(route.repository)
    elif route.repository and route.repository not in known:
        return answers.unknown_repository(host, route.repository)
    return None
