"""A round of the catalogue, as Lambda runs it, with a real API server and real images.

`tests/clients/test_catalogue.py` reads what cosign and Helm push.
"""

import json
import os
import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import httpx2
import pytest

from lambda_fn.contract.objects import catalogue_config_maps
from lambda_fn.edges.catalogue_store import CatalogueStore
from lambda_fn.job.catalogue import shards
from lambda_fn.settings import Page, Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World
from tests.cluster.conftest import Run, watcher_session
from tests.cluster.site import Site
from tests.contract.cluster import objects_of
from tests.fakes.hints import event, messages

SOURCE = "org.opencontainers.image.source"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"page": Page(catalogue=True)})


@pytest.fixture
def folder() -> str:
    """Repositories of this test alone."""
    return f"team/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def publisher(world: World, control: Control) -> Iterator[Publisher]:
    with httpx2.Client(verify=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])) as client:
        yield Publisher(client, world.ecr_host, control.issue_token(world.region).authorization)


def push(publisher: Publisher, repository: str, tag: str, architecture: str = "amd64") -> Image:
    """An image with a label and some bytes of its own."""
    labels = {SOURCE: f"https://git.example.com/{architecture}", "maintainer": "not shown"}
    config = {"os": "linux", "architecture": architecture, "config": {"Labels": labels}}
    return publisher.image_of(repository, tag, json.dumps(config).encode(), [uuid.uuid4().bytes])


@pytest.fixture
def store(site: Site, role: boto3.Session) -> Iterator[CatalogueStore]:
    """The catalogue in the cluster, with the watcher's rights."""
    with watcher_session(site, role) as session:
        yield CatalogueStore(objects_of(site.settings), session)


def images(store: CatalogueStore, repository: str) -> dict[str, Any]:
    """The images of a repository in the cluster, by their first tags."""
    content = store.read(shards.file_of(shards.shard_of(repository))).content
    return {image["tags"][0]: image for image in shards.decode(content)[repository]["images"]}


def names(store: CatalogueStore, folder: str) -> list[str]:
    found = shards.unpack(store.read(shards.INDEX_FILE).content)["repositories"]
    return [each["name"] for each in found if each["name"].startswith(folder)]


def whole_round(run: Run) -> dict[str, Any]:
    report: dict[str, Any] = {"left": 1}
    while report["left"]:
        report = run({"catalogue": True})
    return report


def test_a_round_reads_images_indexes_and_referrers_and_leaves_them_in_the_cluster(
    store: CatalogueStore, run: Run, publisher: Publisher, folder: str
) -> None:
    app = push(publisher, f"{folder}/app", "1.4")
    arm = push(publisher, f"{folder}/multi", "arm", "arm64")
    descriptors = [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": arm.digest,
            "size": len(arm.manifest),
            "platform": {"os": "linux", "architecture": "arm64"},
        }
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}).encode()
    publisher.manifest(f"{folder}/multi", "2.0", index, INDEX)
    publisher.referrer(f"{folder}/app", app, "application/vnd.cncf.notary.signature", 1)
    assert whole_round(run)["ended_at"]
    assert names(store, folder) == [f"{folder}/app", f"{folder}/multi"]
    found = images(store, f"{folder}/app")["1.4"]
    assert (found["digest"], found["size_bytes"], found["kind"]) == (app.digest, app.size_bytes, "image")
    assert (found["signed"], found["labels"]) == (True, {SOURCE: "https://git.example.com/amd64"})
    multi = images(store, f"{folder}/multi")["2.0"]
    platform = {"platform": "linux/arm64", "digest": arm.digest, "size_bytes": arm.size_bytes}
    assert (multi["platforms"], multi["signed"]) == ([platform], False)
    assert multi["labels"] == {SOURCE: "https://git.example.com/arm64"}


def test_an_event_brings_a_push_and_a_deletion_into_the_catalogue(
    store: CatalogueStore, world: World, control: Control, run: Run, publisher: Publisher, folder: str
) -> None:
    app = push(publisher, f"{folder}/app", "1.4")
    sent: dict[str, Any] = {
        "account": world.account,
        "region": world.region,
        "repository_name": f"{folder}/app",
        "image_digest": app.digest,
    }
    run(messages(event(**sent, action_type="PUSH")))
    assert set(images(store, f"{folder}/app")) == {"1.4"}
    control.delete_image(world.ecr_host, f"{folder}/app", app.digest)
    run(messages(event(**sent)))
    assert images(store, f"{folder}/app") == {}


@pytest.mark.parametrize("excluded", [True, False])
def test_reading_does_not_make_an_unused_image_look_used_with_the_exclusion(  # noqa: PLR0913, PLR0917 - fixtures
    world: World,
    control: Control,
    operator: boto3.Session,
    watcher_arn: str,
    run: Run,
    publisher: Publisher,
    folder: str,
    *,
    excluded: bool,
) -> None:
    app = push(publisher, f"{folder}/app", "1.4")
    control.advance(25)
    if excluded:
        operator.client("ecr").register_pull_time_update_exclusion(principalArn=watcher_arn)
    whole_round(run)
    pulled_at = control.last_pull(world.ecr_host, f"{folder}/app", app.digest)
    control.advance(10)
    gone = control.expire_unused(world.ecr_host, f"{folder}/app", 30)
    assert (pulled_at is None, gone) == ((True, [app.digest]) if excluded else (False, []))


@pytest.mark.parametrize("operation", ["DescribeImages", "BatchGetImage", "GetDownloadUrlForLayer"])
def test_what_ecr_denies_is_left_out_and_comes_with_the_next_event(  # noqa: PLR0913, PLR0917 - fixtures
    site: Site, store: CatalogueStore, control: Control, run: Run, publisher: Publisher, folder: str, operation: str
) -> None:
    push(publisher, f"{folder}/app", "1.4")
    known: dict[str, Any] = {"account": site.settings.registries[0].account, "repository_name": f"{folder}/app"}
    known["region"] = site.settings.registries[0].region
    with control.behaving(Behaviour(denied_actions=frozenset({f"ecr:{operation}"}))):
        is_complete = whole_round(run)["ended_at"] is not None
    assert not (is_complete and operation == "DescribeImages"), "a catalogue of which ECR denies all is not complete"
    run(messages(event(**known, action_type="PUSH")))
    assert images(store, f"{folder}/app")["1.4"]["platforms"]


def test_the_rights_of_the_charts_are_enough_for_every_file_at_its_largest(site: Site, store: CatalogueStore) -> None:
    for file in catalogue_config_maps(site.settings.names.workload):
        assert store.write(file, b"first", version=None)
        stored = store.read(file)
        largest = os.urandom(shards.LARGEST_BYTES)
        assert store.write(file, largest, version=stored.version)
        assert not store.write(file, b"late", version=stored.version), "the version is an old one"
        assert store.read(file).content == largest
