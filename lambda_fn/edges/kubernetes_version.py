"""The version of a cluster, also where the settings say all the rest, so that EKS is not asked."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress

import httpx2

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges import tls
from lambda_fn.job.connection import Connection

_TIMEOUT = httpx2.Timeout(3.0)
"""It is for a warning, which must not cost much time."""


def version_of(
    connection: Connection, bearer: Callable[[], Authorization], *, transport: httpx2.BaseTransport | None = None
) -> str | None:
    """Kubernetes' minor version, such as `1.36`; None where neither EKS nor the API server says it.

    Every identity that the API server knows may read it:
    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles

    Args:
        connection: To the cluster.
        bearer: Makes a bearer token for it.
        transport: Of the request; None for one that trusts the cluster's authority.
    """
    if connection.version:
        return connection.version
    # What is wrong here is wrong for the requests that follow, and their message says so.
    with suppress(httpx2.HTTPError, ClusterError, OSError, ValueError, LookupError, TypeError):
        headers = {"Authorization": f"Bearer {bearer().reveal()}"}
        with httpx2.Client(transport=transport or _trusting(connection), timeout=_TIMEOUT, headers=headers) as client:
            answer = client.get(f"{connection.endpoint}/version").raise_for_status().json()
        # Not `minor`, which EKS writes as `36+`.
        found = re.match(r"v(1\.\d+)\.", answer["gitVersion"])
        return found[1] if found else None
    return None


def _trusting(connection: Connection) -> httpx2.BaseTransport:
    authority = base64.b64decode(connection.certificate_authority).decode()
    return httpx2.HTTPTransport(verify=tls.context_trusting(authority))
