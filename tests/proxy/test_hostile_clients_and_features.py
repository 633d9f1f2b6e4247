"""One hostile client, and a pod with every feature: for each variable nginx keeps a place in every request."""

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.hostile import kib_of_a_connection, start_small
from tests.proxy.mirrors import with_mirrors


@pytest.fixture(scope="module")
def settings(world: World, resolver: str) -> Settings:
    replica = f'{{ account = "{world.account}", region = "{world.replica_region}" }}'
    return with_mirrors(world, resolver, replica=replica)


@pytest.mark.rule("R56", "F23")
def test_a_connection_with_full_headers_takes_no_more_with_every_feature(pod: Pod) -> None:
    start_small(pod)
    assert 15 < kib_of_a_connection(pod, "/v2/") < 20
