"""Readiness checks of the sandbox's API server and node."""

import contextlib
import http.client
import json
import ssl

from testbed.sandbox.world import World

TIMEOUT_SECONDS = 2


def api_server_is_ready(world: World) -> bool:
    """Every check of /readyz holds."""
    return _get(world, "/readyz") is not None


def node_is_ready(world: World) -> bool:
    """The kubelet has registered the node and reports it Ready."""
    body = _get(world, f"/api/v1/nodes/{world.node}")
    if body is None:
        return False
    conditions = json.loads(body)["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def service_account_exists(world: World) -> bool:
    """The controller manager works: it has created the default service account, which every pod needs."""
    return _get(world, "/api/v1/namespaces/default/serviceaccounts/default") is not None


def _get(world: World, path: str) -> bytes | None:
    """The body of a 200 answer, None for anything else."""
    context = ssl.create_default_context(cafile=world.ca.certificate)
    admin = world.pair("admin")
    context.load_cert_chain(admin.certificate, admin.key)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPSConnection(
            world.api_address, world.api_port, timeout=TIMEOUT_SECONDS, context=context
        )
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            return body if response.status == http.HTTPStatus.OK else None
    return None
