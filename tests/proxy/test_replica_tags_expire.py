"""What a replica says of a tag holds for a shorter time than what the registry says: it may be an earlier image."""

import time

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.cache_times import wait_until_circuit_is_closed
from tests.proxy.client import ACCEPT, Client
from tests.proxy.replicated import MANIFESTS, REPOSITORY, Regions, replica_of

REPLICA_TTL_SECONDS, TAG_SECONDS = 10, 120
CONVERTED = {"Accept": "application/vnd.oci.image.manifest.v1+json;q=0, */*"}

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    cache = settings.proxy.cache.model_copy(update={"tag_seconds": TAG_SECONDS})
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"cache": cache})})


@pytest.mark.rule("R143")
@pytest.mark.parametrize("accept", [ACCEPT, CONVERTED], ids=["stored", "converted"])
def test_an_earlier_image_of_the_replica_is_served_for_ten_seconds_at_most(
    client: Client, regions: Regions, accept: dict[str, str]
) -> None:
    tag = f"moved-{accept == ACCEPT}".lower()
    earlier = regions.push(tag)
    later = regions.registry.image(REPOSITORY, tag, [b"later"])
    with regions.failing(registry_status=500):
        assert client.get(f"{MANIFESTS}/{tag}", accept).body == earlier.manifest
    began = time.monotonic()
    wait_until_circuit_is_closed(client)
    wait_until(
        lambda: client.get(f"{MANIFESTS}/{tag}", accept).body == later.manifest,
        "it is the registry's",
        seconds=REPLICA_TTL_SECONDS + 5,
    )
    assert time.monotonic() - began > REPLICA_TTL_SECONDS / 2, "it was cached"


@pytest.mark.rule("R24", "R143")
def test_a_tag_of_the_registry_keeps_its_ttl(client: Client, regions: Regions) -> None:
    earlier = regions.push("kept")
    assert client.get(f"{MANIFESTS}/kept", ACCEPT).body == earlier.manifest
    regions.push("kept")
    time.sleep(REPLICA_TTL_SECONDS + 2)
    assert client.get(f"{MANIFESTS}/kept", ACCEPT).body == earlier.manifest
