"""Faults of one region, while the other is healthy."""

import ssl
from collections.abc import Iterator

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.conftest import MANIFEST
from testbed.tests.ecr_double.layers import LAYER, located


@pytest.fixture
def replica(trust: ssl.SSLContext, control: Control, world: World) -> Iterator[httpx2.Client]:
    """A client of the registry in the other region, logged in."""
    authorization = control.issue_token(world.replica_region).authorization
    with httpx2.Client(
        verify=trust,
        trust_env=False,
        base_url=f"https://{world.replica_host}",
        headers={"Authorization": f"Basic {authorization}", "Accept": MANIFEST},
    ) as session:
        yield session


@pytest.fixture
def location_of_replica(replica: httpx2.Client, client: httpx2.Client, repository: str, world: World) -> str:
    authorization = replica.headers["Authorization"].removeprefix("Basic ")
    digest = Publisher(client, world.replica_host, authorization).blob(repository, LAYER)
    return located(replica, repository, digest)


@pytest.mark.row("F14")
def test_a_registry_fails_in_one_region(
    ecr: httpx2.Client, replica: httpx2.Client, control: Control, world: World
) -> None:
    control.set(Behaviour(region=world.region, registry_status=500))
    assert (ecr.get("/v2/").status_code, replica.get("/v2/").status_code) == (500, 200)
    control.set(Behaviour(region=world.replica_region, registry_status=500))
    assert (ecr.get("/v2/").status_code, replica.get("/v2/").status_code) == (200, 500)


@pytest.mark.row("F14")
def test_the_registries_of_one_region_are_down(
    ecr: httpx2.Client, replica: httpx2.Client, control: Control, world: World
) -> None:
    control.set(Behaviour(region=world.region, registry_outage="refused"))
    assert replica.get("/v2/").status_code == 200
    with pytest.raises(httpx2.ConnectError):
        ecr.get("/v2/")


@pytest.mark.row("F14")
def test_the_layer_bucket_fails_in_one_region(
    client: httpx2.Client, control: Control, world: World, location: str, location_of_replica: str
) -> None:
    assert location.startswith(f"https://{world.layer_host}/")
    assert location_of_replica.startswith(f"https://{world.replica_layer_host}/")
    control.set(Behaviour(region=world.region, s3_status=503))
    assert (client.get(location).status_code, client.get(location_of_replica).content) == (503, LAYER)
    control.set(Behaviour(region=world.region, s3_outage="refused"))
    assert client.get(location_of_replica).content == LAYER
    with pytest.raises(httpx2.ConnectError):
        client.get(location)
