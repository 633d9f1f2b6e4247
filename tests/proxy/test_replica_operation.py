"""What an operator sees of a replica that serves: status, metrics, pods that start; and what a replica never says."""

import time

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.settings import Page, Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import samples, with_metrics
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.replicated import BLOBS, MANIFESTS, Regions, replica_of
from tests.proxy.revalidated import DAY_SECONDS, with_short_days

STATUS = "/-/status.json"


@pytest.fixture(scope="module")
def timeouts() -> str:
    return "ecr_seconds = 2\npause_seconds = 1"


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    page = settings.model_copy(update={"page": Page(enabled=True)})
    return with_metrics(with_short_days(page, deleted_seconds=60))


@pytest.mark.rule("R148")
@pytest.mark.usefixtures("started")
def test_status_and_metrics_say_that_a_replica_serves(client: Client, regions: Regions, world: World) -> None:
    def state() -> dict[str, object]:
        return dict(client.get(STATUS, {"Host": world.domain}).json())

    assert state()["state"] == "serving"
    images = [regions.push(size_bytes=100_000) for _ in range(30)]
    with regions.failing(registry_status=500, s3_status=503):
        image = images.pop()
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).status == 200
        assert client.get(f"{BLOBS}/{image.layers[0]}").status == 200
        assert (state()["state"], state()["reason"]) == ("replica", "unavailable")
        found = samples()
    assert found['frontdoor_replicas_serving{of="ecr"}'] == 1
    assert [found[f'frontdoor_registries_not_asked{{instead="{what}"}}'] for what in ("replica", "nothing")] == [1, 0]
    assert found['frontdoor_replica_requests_total{result="ok"}'] == 2
    assert found["frontdoor_replica_s3_bytes_total"] == found["frontdoor_s3_bytes_total"] == 100_000
    wait_until(
        lambda: client.get(f"{MANIFESTS}/{images.pop().digest}", ACCEPT) and state()["state"] == "serving",
        "the registry is used again",
        pause_seconds=0.5,
    )
    with regions.failing(s3_status=503):
        assert client.get(f"{BLOBS}/{images.pop().layers[0]}").status == 200
        assert samples()['frontdoor_replicas_serving{of="s3"}'] == 1


@pytest.mark.rule("R148", "R38")
@pytest.mark.parametrize(
    "fault", [{"registry_outage": "refused", "s3_outage": "refused"}, {"registry_delay_seconds": 30}]
)
def test_a_pod_starts_while_the_region_of_the_registry_is_down(
    pod: Pod, client: Client, regions: Regions, world: World, auths: dict[str, str], fault: dict[str, object]
) -> None:
    """The registry of the other account has no replica, so only this one is down: its own tokens are enough."""
    assert world.ecr_hosts[1] in auths
    pod.settings = pod.settings.model_copy(update={"registries": pod.settings.registries[:1]})
    pod.configure(pod.template(TEMPLATE_KEY))
    image = regions.push(size_bytes=10)
    with regions.failing(**fault):
        began = time.monotonic()
        pod.start()
        assert time.monotonic() - began < 10
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).body == image.manifest


@pytest.mark.rule("R148", "R38")
@pytest.mark.usefixtures("started")
def test_a_pod_does_not_start_without_the_bucket_of_a_registry_that_has_no_replica(
    client: Client, regions: Regions
) -> None:
    with regions.failing(s3_outage="refused"):
        answer = client.get("/-/startup")
    assert (answer.status, answer.body) == (503, b"2 of 2 registries answer, 1 of 2 layer buckets\n")
    assert client.get("/-/startup").status == 200


@pytest.mark.rule("R145", "R61")
@pytest.mark.usefixtures("started")
def test_a_revalidation_asks_no_replica(client: Client, control: Control, regions: Regions, started: Pod) -> None:
    """The replica lacks the image; the registry's return makes no difference to that."""
    image = regions.registry.image("team/app", "alone", [b"layer"])
    path = f"{MANIFESTS}/{image.digest}"
    assert client.get(path, ACCEPT).status == 200
    time.sleep(DAY_SECONDS)
    mark = control.mark()
    with regions.failing(registry_status=500):
        for _ in range(3):
            answer = client.get(path, ACCEPT)
            assert (answer.status, answer.header("Warning")) == (200, None)
            time.sleep(1)
        wait_until(lambda: regions.asked(mark, "registry.manifests")[0], "the registry is asked")
    assert regions.asked(mark, "registry.manifests")[1] == 0
    assert "image_missing" not in started.error_log()
