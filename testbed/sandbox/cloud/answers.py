"""The error bodies of ECR, S3 and the AWS APIs, word for word where a public source has them. Pure.

Sources stand in `testbed/docs/ecr-double.md`, row by row.
"""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from aiohttp import web

from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.routes import Route

API_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
NO_CACHING_HEADERS = {
    "Cache-Control": "private, no-store",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Set-Cookie": "session=1",
    "Vary": "*",
    "X-Accel-Expires": "0",
}
NO_IMAGE = "Requested image not found"
EXPIRED = "Your authorization token has expired. Reauthenticate and try again."
INVALID = "Your Authorization Token is invalid."
INVALID_CURSOR = "Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid next token provided'"
_PAGE_SIZE = "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value "
PAGE_TOO_SMALL = f"{_PAGE_SIZE}greater than or equal to 1'"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a signature is refused: its code in the JSON protocols and in the Query protocol, and the message."""

    json_code: str
    query_code: str
    message: str


NO_SIGNATURE = Refusal(
    "MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token"
)
UNKNOWN_KEY = Refusal(
    "UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid."
)
WRONG_SIGNATURE = Refusal(
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided.",
)
WRONG_SCOPE = Refusal(
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "Credential should be scoped to a valid region and to the correct service.",
)
LATE_SIGNATURE = Refusal("InvalidSignatureException", "SignatureDoesNotMatch", "Signature expired")


def page_too_large(largest: int) -> str:
    """ECR's message for a page's size above its largest."""
    return f"{_PAGE_SIZE}less than or equal to {largest}'"


def registry_error(status: int, code: str, message: str, *, retry_after_seconds: int | None = None) -> web.Response:
    """An error of the registry API in the shape of the OCI distribution specification."""
    headers = dict(API_VERSION)
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    text = json.dumps({"errors": [{"code": code, "message": message}]}, separators=(",", ":"))
    return web.Response(status=status, text=text, content_type="application/json", charset="utf-8", headers=headers)


def not_authorized(host: RegistryHost) -> web.Response:
    """ECR's answer to no credentials: a Basic challenge, and text instead of JSON."""
    challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    headers = API_VERSION | {"Www-Authenticate": challenge}
    return web.Response(status=401, text="Not Authorized\n", headers=headers)


def denied_action(host: RegistryHost, route: Route, principal: str) -> web.Response:
    """The error of a denied action."""
    resource = f"arn:aws:ecr:{host.region}:{host.account}:repository/{route.repository or '*'}"
    message = (
        f"User: {principal} is not authorized to perform: {route.action} on resource: {resource}"
        f" because no identity-based policy allows the {route.action} action"
    )
    return registry_error(403, "DENIED", message)


def invalid_parameter(parameter: str, expression: str) -> web.Response:
    """A name or a tag of a form that ECR does not have; of its lists, 405."""
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: 'must satisfy regular expression '"
    return registry_error(400, "UNSUPPORTED", f"{message}{expression}''")


def unknown_repository(host: RegistryHost, repository: str) -> web.Response:
    """No such repository in this account and region."""
    message = f"The repository with name '{repository}' does not exist in the registry with id '{host.account}'"
    return registry_error(404, "NAME_UNKNOWN", message)


def unknown_image() -> web.Response:
    """No such image in this repository, or none that a lifecycle rule has left there."""
    return registry_error(404, "MANIFEST_UNKNOWN", NO_IMAGE)


def refused_import() -> web.Response:
    """The upstream refuses the credential of a cache rule, or a name that needs one."""
    message = (
        "The authentication to the upstream registry failed. Verify that the credentials provided in the pull through "
        "cache rule are correct, and try again."
    )
    return registry_error(403, "DENIED", message)


def s3_error(status: int, code: str, message: str, *, details: str = "", head: bool = False) -> web.Response:
    """An error of S3; `details` is XML to go beside the message; a HEAD has no body."""
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{details}</Error>"
    text = "" if head else f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return web.Response(status=status, text=text, content_type="application/xml")


def json_1_1(content: object) -> web.Response:
    """An answer of an API that speaks JSON 1.1 (ECR)."""
    return web.json_response(content, content_type="application/x-amz-json-1.1")


def json_error(status: int, code: str, message: str) -> web.Response:
    """An error of an API that speaks JSON 1.1 (ECR) or REST JSON (EKS): the code is in body and header."""
    return web.json_response(
        {"__type": code, "message": message},
        status=status,
        content_type="application/x-amz-json-1.1",
        headers={"x-amzn-ErrorType": code},
    )


def unsigned(service: str, refusal: Refusal) -> web.Response:
    """The answer of `sts`, `eks` or `ecr` to a request that is not signed as it must be."""
    if service != "sts":
        return json_error(400 if service == "ecr" else 403, refusal.json_code, refusal.message)
    fault = f"<Type>Sender</Type><Code>{refusal.query_code}</Code><Message>{escape(refusal.message)}</Message>"
    text = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>{fault}</Error></ErrorResponse>'
    return web.Response(status=403, text=text, content_type="text/xml")
