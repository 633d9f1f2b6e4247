"""Access entries, which MiniStack and moto lack: written to the file that the running authenticator reads."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import httpx2

from lambda_fn.edges.eks import Eks
from testbed.sandbox.access import grant_access, groups_of, revoke_access
from testbed.sandbox.deployment import functions
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import settings
from testbed.sandbox.world import World
from testbed.waiting import eventually

_GROUPS = {"AmazonEKSClusterAdminPolicy": "system:masters"}
"""An access policy of EKS, as a group that Kubernetes itself knows."""
_KNOWN_WITHIN_SECONDS = 60
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def grant(world: World, properties: Mapping[str, Any]) -> None:
    """Make or change an entry as its properties in a template say; it is in force afterwards.

    Raises:
        SandboxError: The authenticator does not read it in time.
    """
    policies = [policy["PolicyArn"].rpartition("/")[2] for policy in properties.get("AccessPolicies", [])]
    groups = [*properties.get("KubernetesGroups", []), *(_GROUPS[policy] for policy in policies)]
    grant_access(world, properties["PrincipalArn"], groups)
    # In a real deployment the provider's functions are made meanwhile; kubectl itself does not wait.
    wait_until_known(world, properties["PrincipalArn"])


@contextmanager
def withdrawn(world: World, role_arn: str) -> Iterator[None]:
    """Take away a role's entry until the block ends.

    Raises:
        SandboxError: The authenticator does not read the change in time.
    """
    groups = groups_of(world, role_arn) or []
    revoke_access(world, role_arn)
    try:
        _wait(world, role_arn, known=False)
        yield
    finally:
        grant_access(world, role_arn, groups)
    wait_until_known(world, role_arn)


def wait_until_known(world: World, role_arn: str) -> None:
    """Wait until the authenticator has read the entry: it looks every few seconds.

    Raises:
        SandboxError: It has not within a minute.
    """
    _wait(world, role_arn, known=True)


def _wait(world: World, role_arn: str, *, known: bool) -> None:
    given = functions.role_environment(world, role_arn)
    key_id, secret, token = (given[name] for name in _KEYS)
    role = boto3.Session(key_id, secret, token, region_name=world.region)
    deployed = settings(world)
    access = Eks(deployed.cluster, deployed.proxy.resolver, role.client("eks"), role.client("sts"))
    trust = ssl.create_default_context(cafile=str(world.ca.certificate))
    with httpx2.Client(verify=trust) as client:

        def is_known() -> bool:
            bearer = {"Authorization": f"Bearer {access.bearer().reveal()}"}
            return client.get(f"{world.api_url}/api", headers=bearer).is_success

        if not eventually(lambda: is_known() is known, _KNOWN_WITHIN_SECONDS, pause_seconds=1):
            verb = "does not accept" if known else "still accepts"
            raise SandboxError(f"the API server {verb} {role_arn}: see {world.logs / 'authenticator.log'}")
