"""What a failed request to the Kubernetes API means for the person on call. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lambda_fn.job.redact import excerpt
from lambda_fn.settings import Settings

_FORBIDDEN = re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Action:
    """One request: what RBAC calls its verb and its resource, and the object's name (empty for a list)."""

    verb: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name}".rstrip()


def role_name(settings: Settings) -> str:
    """The Role, and the RoleBinding, that let the Lambda's group do its work; see docs/rbac.md."""
    return f"{settings.names.workload}-refresher"


def explain(settings: Settings, action: Action, status: int, message: str, explain_unknown: Callable[[], str]) -> str:
    """Which request failed, why, and what would allow it.

    Args:
        settings: For names.
        action: The request.
        status: The HTTP status.
        message: The API server's own words.
        explain_unknown: Asked on a 401: why the cluster may not know us.
    """
    namespace, said = settings.cluster.namespace, f"The API server says: {excerpt(message)}"
    match status:
        case 401:
            return f"Kubernetes does not know the Lambda (401 on: {action}). {explain_unknown()}"
        case 403:
            # The server names what is missing more precisely: applying a new object also needs `create`.
            denied = _FORBIDDEN.search(message)
            verb, resource = (denied["verb"], denied["resource"]) if denied else (action.verb, action.resource)
            return (
                f"Kubernetes forbids the Lambda to {verb} {resource} {action.name} in namespace {namespace}. Role "
                f"{role_name(settings)} there, bound to group {settings.refresher_group}, has to allow it: apply the "
                f"charts again. {said}"
            )
        case 404:
            return f"not found: {action} in namespace {namespace}. Apply the charts, then run again. {said}"
        case 422:
            return (
                f"Kubernetes does not accept the object (422 on: {action} in namespace {namespace}). If an object of "
                f"that name was made by somebody else, delete it and run again. {said}"
            )
        case _:
            return (
                f"Kubernetes answers {status} on: {action} in namespace {namespace}; the schedule tries again. {said}"
            )
