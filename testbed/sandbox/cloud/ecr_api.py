"""ECR's API: tokens, images, exclusions, and cache rules. All else is moto's, which knows nothing of the registries."""

import json

from aiohttp import web

from testbed.sandbox.cloud import answers, image_api
from testbed.sandbox.cloud.cloud import CLOUD
from testbed.sandbox.cloud.endpoints import MOTO_URL
from testbed.sandbox.cloud.forward import read, relay, send
from testbed.sandbox.cloud.hosts import ApiHost, RegistryHost
from testbed.sandbox.cloud.keyring import AccessKey

_STATUS = {"ServerException": 500, "AccessDeniedException": 400, "ThrottlingException": 400}


def operation(request: web.Request) -> str:
    """The operation of a JSON 1.1 request, from its target header."""
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2]


async def answer(request: web.Request, api: ApiHost, caller: AccessKey) -> web.StreamResponse:
    """Answer an authenticated request."""
    if operation(request) == "GetAuthorizationToken":
        return await _token(request, api, caller)
    parameters = json.loads(await read(request) or b"{}")
    if answered := await image_api.answer(request, operation(request), api.region, parameters, caller):
        return answered
    principal = parameters.get("principalArn", "")
    if found := request.app[CLOUD].pull_exclusions.answer(operation(request), api.region, principal):
        return found
    if found := request.app[CLOUD].cache_rules.answer(operation(request), api.region, parameters):
        return found
    async with send(request, f"{MOTO_URL}{request.raw_path}") as moto:
        return await relay(request, moto)


async def _token(request: web.Request, api: ApiHost, caller: AccessKey) -> web.Response:
    cloud = request.app[CLOUD]
    wanted = cloud.behaviour.of(api.region)
    if wanted.token_api_error:
        return answers.json_error(
            _STATUS[wanted.token_api_error], wanted.token_api_error, _reason(wanted.token_api_error, caller)
        )
    accounts = json.loads(await request.read() or b"{}").get("registryIds") or [caller.account]
    token = cloud.tokens.issue(
        api.region,
        caller.arn,
        characters=wanted.token_characters,
        lifetime_seconds=wanted.token_lifetime_seconds,
    )
    data = [
        {
            "authorizationToken": token.authorization,
            "expiresAt": round(token.expires_at.timestamp(), 3),
            "proxyEndpoint": f"https://{RegistryHost(account, api.region)}",
        }
        for account in accounts
    ]
    return answers.json_1_1({"authorizationData": data})


def _reason(error: str, caller: AccessKey) -> str:
    if error == "AccessDeniedException":
        return (
            f"User: {caller.arn} is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
            "because no identity-based policy allows the ecr:GetAuthorizationToken action"
        )
    return "Rate exceeded" if error == "ThrottlingException" else "Internal failure"
