"""The control API on loopback: behaviour, tokens, journal, images. `testbed.sandbox.cloud.control` is its client."""

import asyncio
from datetime import timedelta

from aiohttp import web
from pydantic import ValidationError

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.cloud import CLOUD, Cloud
from testbed.sandbox.cloud.content import Generated
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.lifecycle import ImageId
from testbed.sandbox.cloud.listeners import Listener

_LISTENERS = web.AppKey("listeners", dict[str, Listener])


def application(cloud: Cloud, listeners: dict[str, Listener]) -> web.Application:
    """The server; `listeners` has `ecr` and `s3`, which can have an outage, and those of the replica's region."""
    app = web.Application()
    app[CLOUD] = cloud
    app[_LISTENERS] = listeners
    app.router.add_get("/ready", _ready)
    app.router.add_get("/behaviour", _behaviour)
    app.router.add_put("/behaviour", _set_behaviour)
    app.router.add_post("/tokens", _issue)
    app.router.add_delete("/tokens", _expire)
    app.router.add_delete("/locations", _void_locations)
    app.router.add_post("/layers", _generate)
    app.router.add_get("/journal", _journal)
    app.router.add_post("/clock", _advance)
    app.router.add_post("/lifecycle", _apply)
    app.router.add_get("/images", _last_pull)
    app.router.add_delete("/images", _hide)
    app.router.add_put("/images", _restore)
    return app


async def _ready(_: web.Request) -> web.Response:
    """This server opens last: a client that reaches it can reach every other server."""
    return web.json_response({"ready": True})


async def _behaviour(request: web.Request) -> web.Response:
    return web.json_response(text=request.app[CLOUD].behaviour.model_dump_json())


async def _set_behaviour(request: web.Request) -> web.Response:
    try:
        wanted = Behaviour.model_validate_json(await request.read())
    except ValidationError as error:
        return web.Response(status=422, text=str(error))
    cloud = request.app[CLOUD]
    async with cloud.behaves_anew:
        cloud.behaviour = wanted
        cloud.behaves_anew.notify_all()
    for region, suffix in ((cloud.world.region, ""), (cloud.world.replica_region, "-replica")):
        await request.app[_LISTENERS][f"ecr{suffix}"].set_outage(wanted.of(region).registry_outage)
        await request.app[_LISTENERS][f"s3{suffix}"].set_outage(wanted.of(region).s3_outage)
    return web.json_response(text=wanted.model_dump_json())


async def _issue(request: web.Request) -> web.Response:
    cloud = request.app[CLOUD]
    token = cloud.tokens.issue(
        request.query["region"],
        f"arn:aws:sts::{cloud.world.account}:assumed-role/{cloud.world.refresher_role}/control",
        characters=cloud.behaviour.token_characters,
        lifetime_seconds=cloud.behaviour.token_lifetime_seconds,
    )
    return web.json_response({"authorization": token.authorization, "expires_at": token.expires_at.isoformat()})


async def _expire(request: web.Request) -> web.Response:
    return web.json_response({"expired": request.app[CLOUD].tokens.expire(request.query.get("fingerprint"))})


async def _void_locations(request: web.Request) -> web.Response:
    request.app[CLOUD].signer.renew()
    return web.json_response({})


async def _generate(request: web.Request) -> web.Response:
    content = Generated(int(request.query["size_bytes"]), int(request.query["seed"]))
    digest = f"sha256:{await asyncio.to_thread(content.digest)}"
    request.app[CLOUD].generated[digest] = content
    return web.json_response({"digest": digest})


async def _journal(request: web.Request) -> web.Response:
    journal = request.app[CLOUD].journal
    since = int(request.query.get("since", journal.last))
    entries = [entry.model_dump() for entry in journal.since(since)]
    return web.json_response({"last": journal.last, "entries": entries})


async def _advance(request: web.Request) -> web.Response:
    request.app[CLOUD].lifecycle.ahead += timedelta(days=float(request.query["days"]))
    return web.json_response({})


async def _apply(request: web.Request) -> web.Response:
    unused = timedelta(days=float(request.query["unused_days"]))
    gone = request.app[CLOUD].lifecycle.apply(_host(request), request.query["repository"], unused)
    return web.json_response({"gone": gone})


async def _last_pull(request: web.Request) -> web.Response:
    at = request.app[CLOUD].lifecycle.last_pull(_image(request))
    return web.json_response({"last_pull": at.isoformat() if at else None})


async def _hide(request: web.Request) -> web.Response:
    request.app[CLOUD].lifecycle.hide(_image(request))
    return web.json_response({})


async def _restore(request: web.Request) -> web.Response:
    request.app[CLOUD].lifecycle.restore(_image(request))
    return web.json_response({})


def _image(request: web.Request) -> ImageId:
    return ImageId(_host(request), request.query["repository"], request.query["digest"])


def _host(request: web.Request) -> RegistryHost:
    """The registry that a request names, as a client would.

    Raises:
        web.HTTPBadRequest: It is none.
    """
    host = RegistryHost.parse(request.query["host"])
    if host is None:
        raise web.HTTPBadRequest(text=f"{request.query['host']} is not a registry of ECR")
    return host
