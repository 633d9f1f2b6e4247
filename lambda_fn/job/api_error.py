"""What a failed request to the Kubernetes API means for the person on call. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lambda_fn.job.redact import excerpt

_FORBIDDEN = re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\"")
# Kubernetes' own words, of apiserver's pkg/admission (policy/validating, webhook/errors) and endpoints/handlers.
_POLICY = re.compile(
    r"""(?:\w+AdmissionPolicy '|admission webhook ").+? (?:denied (?:the )?request|does not support dry run).*""",
    re.DOTALL,
)
_UNAUTHORIZED = re.compile(r'User ".*" cannot \w+ (?:resource|path) "', re.DOTALL)
_UNREACHABLE_WEBHOOK = re.compile(r'failed calling webhook "(?P<name>[^"]+)"')
_REFUSAL_CHARACTERS = 1000
"""A policy's message names what it demands, often for several rules, behind the names of policy and object."""


@dataclass(frozen=True, slots=True)
class Action:
    """One request: what RBAC calls its verb and its resource, and the object's name (empty for a list)."""

    verb: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Grant:
    """What allows the Lambda's requests; docs/rbac.md lists them.

    Attributes:
        namespace: Where.
        role: The Role, and the RoleBinding.
        group: The Kubernetes group of the Lambda's access entry.
    """

    namespace: str
    role: str
    group: str


def refusal(status: int, message: str) -> str | None:
    """Why the cluster's admission control refuses an object, as it says; None when something else failed.

    A ValidatingAdmissionPolicy and a webhook choose their status freely, so the words decide. An answer of 429 or 5xx
    is no refusal of the object. A quota, or a namespace that is being deleted, is a 403 that RBAC did not give.
    https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-expression
    """
    if status == 429 or status >= 500:  # noqa: PLR2004 - Too Many Requests, 5xx
        return None
    if found := _POLICY.search(message):
        return excerpt(found[0], characters=_REFUSAL_CHARACTERS)
    if status == 403 and " is forbidden: " in message and not _UNAUTHORIZED.search(message):  # noqa: PLR2004 - Forbidden
        return excerpt(message.partition(" is forbidden: ")[2], characters=_REFUSAL_CHARACTERS)
    return None


def explain(grant: Grant, action: Action, status: int, message: str, explain_unknown: Callable[[], str]) -> str:
    """Which request failed, why, and how to fix it.

    Args:
        grant: What should allow the request.
        action: The request.
        status: The HTTP status.
        message: The API server's message.
        explain_unknown: Called on a 401: why the cluster may not know the Lambda's role, and the fix.
    """
    if refused := refusal(status, message):
        return (
            f"the cluster's admission control refuses: {action} in namespace {grant.namespace}, and will until it is "
            f"changed. Fix: let it admit this object, or give the object what it demands. Its message: {refused}"
        )
    return _explain_status(grant, action, status, message, explain_unknown)


def _explain_status(grant: Grant, action: Action, status: int, message: str, explain_unknown: Callable[[], str]) -> str:
    namespace, server = grant.namespace, f"The API server's message: {excerpt(message)}"
    match status:
        case 401:
            return f"Kubernetes does not know the Lambda's role (401 on: {action}). {explain_unknown()}"
        case 403:
            # The server names the missing right more precisely: applying a new object also needs `create`.
            denied = _FORBIDDEN.search(message)
            verb, resource = (denied["verb"], denied["resource"]) if denied else (action.verb, action.resource)
            return (
                f"Kubernetes forbids the Lambda to {verb} {resource} {action.name} in namespace {namespace}. Fix: "
                f"apply the charts again, whose Role {grant.role}, bound to group {grant.group}, allows it. {server}"
            )
        case 404:
            return f"not found: {action} in namespace {namespace}. Fix: apply the charts, then run again. {server}"
        case 422:
            return (
                f"Kubernetes does not accept the object (422 on: {action} in namespace {namespace}). Fix: if another "
                f"tool created an object of that name, delete it and run again. {server}"
            )
        case 500 if webhook := _UNREACHABLE_WEBHOOK.search(message):
            return (
                f"Kubernetes cannot call admission webhook {webhook['name']}, which has to admit: {action} in "
                f"namespace {namespace}. The schedule tries again. Fix: start the webhook's pods. {server}"
            )
        case _:
            return (
                f"Kubernetes answers {status} on: {action} in namespace {namespace}. The schedule tries again. {server}"
            )
