from pathlib import Path

from testbed.sandbox import hosts
from testbed.sandbox.world import World


def resolved(world: World) -> dict[str, str]:
    lines = (line.split() for line in world.hosts_file.read_text().splitlines())
    return {name: address for address, *names in lines for name in names}


def test_every_name_leads_to_its_double(tmp_path: Path) -> None:
    world = World(state=tmp_path)

    hosts.create(world)

    names = resolved(world)
    assert names[world.ecr_host] == world.ecr_address
    assert names[world.layer_host] == world.s3_address
    assert names[world.replica_host] == world.replica_ecr_address
    assert names[world.replica_layer_host] == world.replica_s3_address
    assert {names[host] for host in world.aws_hosts} == {world.aws_address}
    assert world.domain not in names
    assert world.resolver_file.read_text() == f"nameserver {world.dns_address}\n"


def test_the_domain_can_be_pointed_somewhere_else_without_replacing_the_mounted_file(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    hosts.create(world)
    mounted = world.hosts_file.stat().st_ino

    hosts.point_domain(world, "10.96.0.7")
    hosts.point_domain(world, "10.96.0.8")

    assert resolved(world)[world.domain] == "10.96.0.8"
    assert resolved(world)[world.ecr_host] == world.ecr_address
    assert world.hosts_file.stat().st_ino == mounted


def test_a_name_is_pointed_somewhere_else_for_a_block_and_what_was_moved_before_stays(tmp_path: Path) -> None:
    world = World(state=tmp_path)
    hosts.create(world)
    hosts.point_domain(world, "10.96.0.7")

    with hosts.pointed(world, {world.layer_server_address: (world.layer_host,)}):
        assert resolved(world)[world.layer_host] == world.layer_server_address
        assert resolved(world)[world.domain] == "10.96.0.7"

    assert resolved(world)[world.layer_host] == world.s3_address
    assert resolved(world)[world.domain] == "10.96.0.7"
