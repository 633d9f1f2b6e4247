"""The AWS APIs: signatures of STS, EKS and ECR are checked, moto answers, and some of its answers are corrected."""

import base64
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web

from testbed.sandbox.cloud import access_entries, answers, ecr_api, simulation
from testbed.sandbox.cloud.answers import Refusal
from testbed.sandbox.cloud.cloud import CLOUD, Cloud, journalled, now
from testbed.sandbox.cloud.endpoints import MINISTACK_URL, MOTO_URL, moto_authorization
from testbed.sandbox.cloud.forward import read, relay, send
from testbed.sandbox.cloud.hosts import ApiHost
from testbed.sandbox.cloud.keyring import AccessKey
from testbed.sandbox.cloud.signature import Received, claim, is_genuine

_IDENTITY = ("Arn", "UserId", "Account")


def application(cloud: Cloud) -> web.Application:
    """The server of every AWS API host."""
    app = web.Application(middlewares=[journalled(_kind)], client_max_size=2**40)
    app[CLOUD] = cloud
    app.router.add_route("*", "/{path:.*}", _answer)
    return app


def _kind(request: web.Request) -> str:
    api = ApiHost.parse(request.host)
    if api and api.service == "ecr":
        return f"ecr.{ecr_api.operation(request)}"
    return api.service if api else "aws"


async def _answer(request: web.Request) -> web.StreamResponse:
    api = ApiHost.parse(request.host)
    if api is None:
        return await _other(request)
    caller = await _authenticated(request, api)
    if isinstance(caller, Refusal):
        return answers.unsigned(api.service, caller)
    if api.service == "sts":
        return await _sts(request, api, caller)
    if api.service == "eks":
        return await _eks(request, api, caller)
    return await ecr_api.answer(request, api, caller)


async def _other(request: web.Request) -> web.StreamResponse:
    """An API that moto or MiniStack serves, except for one operation that moto lacks."""
    body = await read(request)
    if request.app[CLOUD].behaviour.ministack_network:
        async with send(request, MINISTACK_URL + request.raw_path) as answer:
            return await relay(request, answer)
    if simulation.is_meant(body):
        return await simulation.answer(body)
    async with send(request, MOTO_URL + request.raw_path) as answer:
        return await relay(request, answer)


async def _authenticated(request: web.Request, api: ApiHost) -> AccessKey | Refusal:
    """The caller of a request, or AWS's error."""
    received = Received(
        method=request.method,
        url=f"https://{request.host}{request.raw_path}",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await read(request),
    )
    try:
        claimed = claim(received)
    except ValueError:
        return answers.NO_SIGNATURE
    key = request.app[CLOUD].keyring.get(claimed.key_id)
    if key is None or key.session_token != claimed.session_token:
        return answers.UNKNOWN_KEY
    if (claimed.service, claimed.region) != (api.service, api.region):
        return answers.WRONG_SCOPE
    if not is_genuine(received, claimed, key.secret):
        return answers.WRONG_SIGNATURE
    return answers.LATE_SIGNATURE if claimed.is_expired(now()) else key


async def _sts(request: web.Request, api: ApiHost, caller: AccessKey) -> web.StreamResponse:
    """What moto answers; as JSON where the client accepts it, and with new credentials added to the keyring."""
    async with send(request, MOTO_URL + request.raw_path, headers=_as(caller, api)) as answer:
        text = await answer.text()
    request.app[CLOUD].keyring.learn(text)
    if answer.ok and "application/json" in request.headers.get("Accept", "") and "GetCallerIdentityResult" in text:
        return web.json_response(_identity(text))
    return web.Response(status=answer.status, text=text, content_type="text/xml")


def _identity(text: str) -> dict[str, object]:
    """GetCallerIdentity as STS's JSON, which moto lacks and aws-iam-authenticator needs."""
    fields = {element.tag.rpartition("}")[2]: element.text for element in ET.fromstring(text).iter()}  # noqa: S314  moto's own answer
    result = {name: fields[name] for name in _IDENTITY}
    return {"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}


async def _eks(request: web.Request, api: ApiHost, caller: AccessKey) -> web.StreamResponse:
    """What moto answers, with the endpoint, CA and networks of the real cluster."""
    cloud = request.app[CLOUD]
    if entry := access_entries.PATH.fullmatch(request.path):
        return access_entries.answer(cloud.world, entry["cluster"], entry["arn"])
    async with send(request, MOTO_URL + request.raw_path, headers=_as(caller, api)) as answer:
        if not answer.ok or request.path != f"/clusters/{cloud.world.cluster}":
            return await relay(request, answer)
        described = await answer.json()
    return web.json_response(_real_cluster(described, cloud))


def _as(caller: AccessKey, api: ApiHost) -> dict[str, str]:
    """The caller in the form moto reads, from a signature in header or query."""
    return {"Authorization": moto_authorization(caller.id, region=api.region, service=api.service)}


def _real_cluster(described: dict[str, dict[str, Any]], cloud: Cloud) -> dict[str, dict[str, object]]:
    network = cloud.behaviour.ministack_network or cloud.network
    certificate = base64.b64encode(cloud.world.ca.certificate.read_bytes()).decode()
    real = {
        "endpoint": cloud.world.api_url,
        "certificateAuthority": {"data": certificate},
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": cloud.world.service_cidr, "ipFamily": "ipv4"},
        "accessConfig": {"authenticationMode": "API"},
        "resourcesVpcConfig": {**described["cluster"].get("resourcesVpcConfig", {}), **network},
    }
    return described | {"cluster": described["cluster"] | real}
