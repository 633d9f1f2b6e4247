"""Images that the hints name, on the real node, whose kubelet looks at its volumes as seldom as it does by default."""

import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lambda_fn.contract.hints import Hints, Image, build
from lambda_fn.contract.objects import hints_config_map
from testbed.sandbox import installation
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.pulls import statuses
from testbed.sandbox.world import World
from testbed.soak import cached_files
from testbed.waiting import wait_until
from tests.e2e import kubelet

MIB = 1 << 20
PROMISED_SECONDS = 120

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture
def usual_kubelet(world: World) -> Iterator[None]:
    """A kubelet that looks at its pods once a minute."""
    with kubelet.with_default_sync(world):
        yield


@pytest.fixture
def hints(world: World) -> Iterator[str]:
    """The name of the ConfigMap, which is deleted at the end."""
    name = hints_config_map(installation.settings(world).names.workload)
    yield name
    run(("kubectl", "delete", "configmap", name, f"--namespace={world.namespace}", "--ignore-not-found"))


def write(world: World, name: str, *digests: str) -> None:
    named = {Image(world.ecr_host, world.app_repository, digest): int(time.time()) for digest in digests}
    kubectl_apply(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": world.namespace},
                "data": build(Hints(named, {}), now=datetime.now(UTC)),
            }
        )
    )


def cached(world: World) -> dict[str, set[str]]:
    """By pod: the keys of everything that it has cached of manifests and blobs."""
    pods = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in installation.proxy_pod_objects(world)}
    volumes = world.kubelet_root / "pods"
    caches = {name: volumes / uid / "volumes" / "kubernetes.io~empty-dir" / "cache" for name, uid in pods.items()}
    return {name: {cached_files.key(file) for file in cached_files.cached(cache)} for name, cache in caches.items()}


@pytest.mark.rule("R64", "R65")
@pytest.mark.usefixtures("usual_kubelet")
def test_an_image_is_refused_on_every_pod_within_two_minutes_and_served_again_when_its_line_is_lifted(
    world: World, hints: str, publisher: Publisher
) -> None:
    shared = secrets.token_bytes(MIB)
    gone = publisher.image(world.app_repository, "gone", [shared, secrets.token_bytes(5 * MIB)])
    kept = publisher.image(world.app_repository, "kept", [shared, secrets.token_bytes(MIB)])
    paths = [f"manifests/{image.digest}" for image in (gone, kept)]
    blobs = [f"blobs/{digest}" for digest in {*gone.layers, gone.config, *kept.layers, kept.config}]
    assert [statuses(world, path) for path in (*paths, *blobs)] == [{200}] * (len(paths) + len(blobs))
    before = cached(world)
    assert len(before) == 2
    write(world, hints, gone.digest)
    wait_until(lambda: statuses(world, paths[0]) == {404}, "every pod refuses it", seconds=PROMISED_SECONDS)
    assert [statuses(world, path) for path in ("manifests/gone", paths[1], "manifests/kept")] == [{404}, {200}, {200}]
    own = (gone.digest, gone.layers[1], gone.config)
    expected = {pod: {key for key in keys if not key.startswith(own)} for pod, keys in before.items()}
    wait_until(lambda: cached(world) == expected, "only its files are removed", seconds=30)
    write(world, hints)
    wait_until(lambda: statuses(world, paths[0]) == {200}, "every pod serves it", seconds=PROMISED_SECONDS)
