"""What a failed request to the Kubernetes API means for the person on call. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lambda_fn.job.redact import excerpt

_FORBIDDEN = re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\"")


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


def explain(grant: Grant, action: Action, status: int, message: str, explain_unknown: Callable[[], str]) -> str:
    """Which request failed, why, and how to fix it.

    Args:
        grant: What should allow the request.
        action: The request.
        status: The HTTP status.
        message: The API server's message.
        explain_unknown: Called on a 401: why the cluster may not know the Lambda's role, and the fix.
    """
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
        case _:
            return (
                f"Kubernetes answers {status} on: {action} in namespace {namespace}. The schedule tries again. {server}"
            )
