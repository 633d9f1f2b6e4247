"""With `tags = "primary"` no tag comes from a replica: an old one could be pulled as a new one."""

import time

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from tests.proxy.cache_times import TAG_EXPIRED_SECONDS
from tests.proxy.client import ACCEPT, Client
from tests.proxy.replicated import BLOBS, MANIFESTS, REPOSITORY, Regions, replica_of

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world, tags="primary")


@pytest.mark.rule("R143", "F140")
def test_only_digests_come_from_the_replica(client: Client, control: Control, regions: Regions) -> None:
    image = regions.push("primary")
    mark = control.mark()
    with regions.failing(registry_status=500):
        for path in (f"{MANIFESTS}/primary", f"/v2/{REPOSITORY}/tags/list"):
            answer = client.get(path, ACCEPT)
            assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
        assert regions.asked(mark)[1] == 0
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).body == image.manifest
        assert client.get(f"{BLOBS}/{image.layers[0]}").status == 200


@pytest.mark.rule("R141")
def test_one_failure_of_a_digest_does_not_shut_ecr_for_tags(client: Client, regions: Regions) -> None:
    images = [regions.push(tag) for tag in ("first", "second")]
    with regions.failing(registry_status=500):
        assert client.get(f"{MANIFESTS}/{images[0].digest}", ACCEPT).status == 200
    assert client.get(f"{MANIFESTS}/second", ACCEPT).body == images[1].manifest


@pytest.mark.rule("R143")
def test_a_stale_tag_is_served_instead(client: Client, control: Control, regions: Regions) -> None:
    image = regions.push("stale")
    assert client.get(f"{MANIFESTS}/stale", ACCEPT).body == image.manifest
    time.sleep(TAG_EXPIRED_SECONDS)
    mark = control.mark()
    with regions.failing(registry_status=500):
        answer = client.get(f"{MANIFESTS}/stale", ACCEPT)
    assert (answer.status, answer.body) == (200, image.manifest)
    assert "last known content of the tag" in (answer.header("Warning") or "")
    assert regions.asked(mark)[1] == 0
