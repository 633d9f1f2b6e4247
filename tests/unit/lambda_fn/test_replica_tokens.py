"""A run with a replica: what it writes while a region gives no token, and whether it fails."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lambda_fn.job.report import StaleRegionError
from lambda_fn.settings import parse_toml
from tests.contract.cluster import SETTINGS
from tests.fakes.clock import STARTED_AT
from tests.fakes.registry import FakeRegistry
from tests.fakes.world import HOST, World, installed

HOST_OF_REPLICA = "123456789012.dkr.ecr.ap-southeast-4.amazonaws.com"
REPLICA = '{ account = "123456789012", region = "ap-southeast-4" }'
WITH_REPLICA = SETTINGS.replace("registries = [{ ", f"registries = [{{ replicas = [{REPLICA}], ", 1)
OTHER = '{ account = "123456789012", region = "ap-southeast-4", repositories = ["other/*"] }, '
BOTH = WITH_REPLICA.replace("registries = [", f"registries = [{OTHER}", 1)
TEMPLATE = "# {{ resolver }}{% for r in registries %} {{ r.host }} {{ r.replica }}{% endfor %}"
CONFIGURATION = f"# 10.96.0.10 {HOST} {HOST_OF_REPLICA}"


def new_world(text: str = WITH_REPLICA) -> World:
    world = installed(World(parse_toml(text, "the test's settings")))
    world.edit_template(TEMPLATE)
    return world


@pytest.fixture
def world() -> World:
    """A front door with a replica, in use for an hour, whose next tokens are others."""
    world = new_world()
    world.run()
    world.cluster.writes.clear()
    world.clock.sleep(3600)
    world.clock.begin_invocation()
    world.registry.leak_check = FakeRegistry().leak_check
    return world


def new_tokens(world: World) -> set[str]:
    return {host for host, auth in world.auths().items() if auth["auth"] == world.registry.leak_check.authorization}


def test_the_secret_and_its_expiries_have_the_host_of_the_replica() -> None:
    world = new_world()
    report = world.run()
    assert report.hosts == (HOST, HOST_OF_REPLICA)
    assert tuple(world.auths()) == report.hosts
    assert set(world.cluster.read_tokens()) == {HOST, HOST_OF_REPLICA}
    assert world.registry.asked == [HOST, HOST_OF_REPLICA]
    assert world.cluster.read_configuration() == CONFIGURATION


FAIL = {
    "the token API": lambda registry: registry.failing.add("ap-southeast-4"),
    "the host": lambda registry: registry.refusing.add(HOST_OF_REPLICA),
}


@pytest.mark.parametrize("fail", FAIL.values(), ids=FAIL)
def test_a_replica_without_a_new_token_is_a_warning_and_keeps_its_earlier_one(
    world: World, fail: Callable[[FakeRegistry], None]
) -> None:
    before, started_at = world.auths()[HOST_OF_REPLICA], world.clock.now()
    fail(world.registry)
    world.edit_template(f"{TEMPLATE} edited")
    report = world.run()
    assert new_tokens(world) == {HOST}
    assert world.auths()[HOST_OF_REPLICA] == before
    (warning,) = report.warnings
    assert warning.startswith("the replica in ap-southeast-4 has no new token, so pulls may not go on when")
    assert report.stale_regions == ("ap-southeast-4",)
    assert report.expires_at == started_at + timedelta(hours=12)
    assert report.rolled_out


@pytest.mark.parametrize("fail", FAIL.values(), ids=FAIL)
def test_a_first_run_without_a_token_of_the_replica_writes_everything(fail: Callable[[FakeRegistry], None]) -> None:
    world = new_world()
    fail(world.registry)
    report = world.run()
    assert tuple(world.auths()) == (HOST,)
    assert report.rolled_out
    assert world.cluster.read_configuration() == CONFIGURATION


def test_the_token_of_a_replica_does_not_change_the_configuration() -> None:
    world = new_world()
    world.registry.failing.add("ap-southeast-4")
    world.run()
    world.clock.begin_invocation()
    world.registry.failing.clear()
    assert not world.run().rolled_out


def test_a_registry_without_a_new_token_fails_the_run_which_has_written_that_of_its_replica(world: World) -> None:
    before = world.auths()[HOST]
    world.registry.failing.add("ap-southeast-2")
    world.edit_template(f"{TEMPLATE} edited")
    with pytest.raises(StaleRegionError, match=r"no new token of ap-southeast-2: .*keep their earlier token") as caught:
        world.run()
    assert new_tokens(world) == {HOST_OF_REPLICA}
    assert world.auths()[HOST] == before
    assert caught.value.report.rolled_out
    assert caught.value.report.expires_at == STARTED_AT + timedelta(hours=12)


def test_a_registry_whose_token_has_expired_leaves_its_pulls_to_the_replica(world: World) -> None:
    world.clock.sleep(12 * 3600)
    world.clock.begin_invocation()
    world.registry.failing.add("ap-southeast-2")
    world.edit_template(f"{TEMPLATE} edited")
    with pytest.raises(StaleRegionError, match=r"in ap-southeast-2 has no valid one, so .* its replica") as caught:
        world.run()
    assert set(world.auths()) == new_tokens(world) == {HOST_OF_REPLICA}
    assert world.cluster.read_configuration() == f"{CONFIGURATION} edited"
    # The alarm TokenRunsOut reads this.
    assert caught.value.report.expires_at < world.clock.now()
    assert world.cluster.read_expiry() == caught.value.report.expires_at


def test_a_replica_that_is_a_registry_too_fails_the_run_where_its_host_refuses_the_token() -> None:
    world = new_world(BOTH)
    world.run()
    world.clock.begin_invocation()
    world.registry.refusing.add(HOST_OF_REPLICA)
    with pytest.raises(StaleRegionError, match="no new token of ap-southeast-4"):
        world.run()


def test_a_replica_that_another_registry_is_too_has_one_token() -> None:
    world = new_world(BOTH)
    world.registry.failing.add("ap-southeast-4")
    with pytest.raises(StaleRegionError, match="123456789012 in ap-southeast-4 has no valid one, so the configuration"):
        world.run()
    world.clock.begin_invocation()
    world.registry.failing.clear()
    assert world.run().hosts == (HOST_OF_REPLICA, HOST)
