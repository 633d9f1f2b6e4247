"""Images on the page, on the real node, whose kubelet looks at its volumes as seldom as it does by default."""

import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lambda_fn.contract.objects import catalogue_config_maps
from lambda_fn.contract.runtime import WATCHER_HANDLER
from lambda_fn.job.catalogue import shards
from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.e2e import kubelet
from tests.e2e.handlers import Function, role_of
from tests.fakes.hints import event, messages

PROMISED_SECONDS = 120
WINDOW_SECONDS = 10
"""How long Lambda collects messages before (stacks/watcher.py)."""
REPOSITORY = "team/listed"


@pytest.fixture
def watcher(installed: World) -> Iterator[Function]:
    """The function that ECR's events reach, and the catalogue, which is deleted at the end."""
    settings = installation.settings(installed)
    with role_of(installed, "watcher", settings.watcher_group) as role:
        yield Function(installed, settings, WATCHER_HANDLER, role)
    names = catalogue_config_maps(settings.names.workload).values()
    run(("kubectl", "delete", "configmap", *names, f"--namespace={installed.namespace}", "--ignore-not-found"))


def tell(world: World, watcher: Function, image: Image) -> None:
    """What EventBridge and SQS hand on after a push."""
    sent = event(
        account=world.account,
        region=world.region,
        repository_name=REPOSITORY,
        image_digest=image.digest,
        action_type="PUSH",
        time=f"{datetime.now(UTC):%FT%TZ}",
    )
    assert watcher(messages(sent)) == ({"batchItemFailures": []}, None)


def listed(world: World) -> list[set[str]]:
    """By pod: the tags of the repository that a browser gets."""
    return [tags(world, pod["status"]["podIP"]) for pod in installation.proxy_pod_objects(world)]


def tags(world: World, address: str) -> set[str]:
    url = f"https://{world.domain}/-/catalogue/{shards.shard_of(REPOSITORY):02d}.json"
    leads_to = f"{world.domain}:443:{address}:8443"
    shard = json.loads(run(("curl", "-sS", "--compressed", "--connect-to", leads_to, url)))
    images = shard.get("repositories", {}).get(REPOSITORY, {"images": []})["images"]
    return {tag for image in images for tag in image["tags"]}


@pytest.mark.rule("R102")
def test_a_push_is_on_the_page_of_every_pod_within_two_minutes(
    world: World, watcher: Function, control: Control, publisher: Publisher
) -> None:
    control.reset()
    tell(world, watcher, publisher.image(REPOSITORY, "1.0", [secrets.token_bytes(64)]))
    wait_until(lambda: listed(world) == [{"1.0"}, {"1.0"}], "the catalogue is mounted")
    with kubelet.with_default_sync(world):
        pushed = publisher.image(REPOSITORY, "1.1", [secrets.token_bytes(64)])
        began = time.monotonic()
        tell(world, watcher, pushed)
        left = PROMISED_SECONDS - WINDOW_SECONDS - (time.monotonic() - began)
        wait_until(lambda: listed(world) == [{"1.0", "1.1"}] * 2, "every pod lists it", seconds=left)
        print(f"listed {time.monotonic() - began:.0f} s after the push")  # noqa: T201 - the measurement
