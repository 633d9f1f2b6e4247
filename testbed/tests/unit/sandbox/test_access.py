import json
from pathlib import Path

from testbed.sandbox import access
from testbed.sandbox.world import World


def mappings(world: World) -> dict[str, list[str]]:
    return {entry["rolearn"]: entry["groups"] for entry in json.loads(world.access_file.read_text())["mapRoles"]}


def test_an_access_entry_is_granted_and_revoked_without_touching_others(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    other = world.refresher_role_arn.replace("refresher", "other")
    access.create(world)
    assert mappings(world) == {}

    access.grant_access(world, other, ["readers"])
    access.grant_access(world, world.refresher_role_arn, ["refreshers"])
    assert mappings(world) == {other: ["readers"], world.refresher_role_arn: ["refreshers"]}

    access.revoke_access(world, world.refresher_role_arn)
    assert mappings(world) == {other: ["readers"]}


def test_the_user_name_is_the_one_eks_gives_a_role(tmp_path: Path) -> None:
    world = World(state=tmp_path)

    access.grant_access(world, world.refresher_role_arn, ["refreshers"])

    (entry,) = json.loads(world.access_file.read_text())["mapRoles"]
    assert entry["username"] == "arn:aws:sts::123456789012:assumed-role/frontdoor-refresher/{{SessionName}}"


def test_revoking_what_was_never_granted_changes_nothing(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    access.create(world)

    access.revoke_access(world, world.refresher_role_arn)

    assert mappings(world) == {}
