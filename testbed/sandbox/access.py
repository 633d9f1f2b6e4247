"""Access entries: which IAM role is which Kubernetes group. The running authenticator follows within seconds."""

import json
from collections.abc import Sequence

from testbed.sandbox.world import World


def create(world: World) -> None:
    """Start without access entries."""
    _write(world, {})


def grant_access(world: World, role_arn: str, groups: Sequence[str]) -> None:
    """Map a role to groups, as an EKS access entry of type STANDARD does. Replaces the entry of the role."""
    entries = _entries(world)
    entries[role_arn] = list(groups)
    _write(world, entries)


def revoke_access(world: World, role_arn: str) -> None:
    """Delete the access entry of a role, if it has one."""
    entries = _entries(world)
    entries.pop(role_arn, None)
    _write(world, entries)


def groups_of(world: World, role_arn: str) -> list[str] | None:
    """The groups of a role's access entry; None when it has none."""
    return _entries(world).get(role_arn)


def _entries(world: World) -> dict[str, list[str]]:
    if not world.access_file.exists():
        return {}
    mappings = json.loads(world.access_file.read_text())["mapRoles"]
    return {mapping["rolearn"]: mapping["groups"] for mapping in mappings}


def _write(world: World, entries: dict[str, list[str]]) -> None:
    mappings = [{"rolearn": arn, "username": _username(arn), "groups": groups} for arn, groups in entries.items()]
    draft = world.access_file.with_suffix(".new")
    draft.write_text(json.dumps({"mapRoles": mappings, "mapUsers": [], "mapAccounts": []}))
    draft.replace(world.access_file)


def _username(role_arn: str) -> str:
    """EKS's default user name of a role: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/{{SessionName}}`."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[1]
    return f"arn:aws:sts::{account}:assumed-role/{role}/{{{{SessionName}}}}"
