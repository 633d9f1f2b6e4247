"""Repositories, images, manifests and layers by ECR's API: rows I7 to I10 of testbed/docs/ecr-double.md."""

import hashlib
import json
from typing import Any

import boto3
import httpx2
import pytest
from botocore.exceptions import ClientError

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.callers import api, code_of
from testbed.tests.ecr_double.conftest import MANIFEST

INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def ecr_api(refresher: boto3.Session, bundle: str) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
    return api(refresher, "ecr", bundle)


@pytest.mark.row("I7")
def test_repositories_come_in_pages(ecr_api: Any, publisher: Publisher, repository: str) -> None:  # noqa: ANN401
    names = {f"{repository}/{number}" for number in range(5)}
    for name in names:
        publisher.image(name, "1", [b"layer"])
    pages = [*ecr_api.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})]
    found = [each["repositoryName"] for page in pages for each in page["repositories"]]
    assert names <= set(found)
    assert max(len(page["repositories"]) for page in pages) == 2
    assert len(found) == len(set(found))


@pytest.mark.row("I7")
def test_images_are_described_with_tags_sizes_types_and_subjects(
    ecr_api: Any,  # noqa: ANN401
    publisher: Publisher,
    world: World,
    repository: str,
) -> None:
    image = publisher.image(repository, "1", [b"layer"])
    publisher.manifest(repository, "also", image.manifest)
    referrer = publisher.referrer(repository, image, "application/x-signature", 1)
    descriptor = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]}).encode()
    publisher.manifest(repository, "2", index, INDEX)
    answer = ecr_api.describe_images(registryId=world.account, repositoryName=repository, maxResults=1000)
    found = {each["imageDigest"]: each for each in answer["imageDetails"]}
    assert found[image.digest]["imageTags"] == ["1", "also"]
    assert found[image.digest]["imageSizeInBytes"] == image.size_bytes
    assert found[image.digest]["artifactMediaType"] == "application/vnd.oci.image.config.v1+json"
    assert found[referrer]["subjectManifestDigest"] == image.digest
    assert found[referrer]["artifactMediaType"] == "application/x-signature"
    assert "imageTags" not in found[referrer]
    (listed,) = (each for each in found.values() if each["imageManifestMediaType"] == INDEX)
    assert (listed["imageTags"], listed["imageSizeInBytes"]) == (["2"], image.size_bytes)


@pytest.mark.row("I7")
def test_a_page_above_the_largest_is_refused(ecr_api: Any, publisher: Publisher, repository: str) -> None:  # noqa: ANN401
    publisher.image(repository, "1", [b"layer"])
    with pytest.raises(ClientError) as error:
        ecr_api.describe_images(repositoryName=repository, maxResults=1001)
    assert code_of(error) == (400, "InvalidParameterException")


@pytest.mark.row("I8")
def test_manifests_are_pulled_by_digest_and_a_moved_tag_is_that_of_the_last_push(
    ecr_api: Any,  # noqa: ANN401
    publisher: Publisher,
    control: Control,
    world: World,
    repository: str,
) -> None:
    first, second = (publisher.image(repository, "1", [content]) for content in (b"first", b"second"))
    missing = f"sha256:{'0' * 64}"
    ids = [{"imageDigest": digest} for digest in (first.digest, second.digest, missing)]
    found = ecr_api.batch_get_image(repositoryName=repository, imageIds=ids, acceptedMediaTypes=[MANIFEST])
    assert [each["imageManifest"].encode() for each in found["images"]] == [first.manifest, second.manifest]
    assert [each["failureCode"] for each in found["failures"]] == ["ImageNotFound"]
    assert control.last_pull(world.ecr_host, repository, first.digest)
    details = ecr_api.describe_images(repositoryName=repository)["imageDetails"]
    assert {each["imageDigest"]: each.get("imageTags") for each in details} == {
        first.digest: None,
        second.digest: ["1"],
    }
    with pytest.raises(ClientError) as too_many:
        ecr_api.batch_get_image(repositoryName=repository, imageIds=[ids[0]] * 101)
    assert code_of(too_many) == (400, "InvalidParameterException")


@pytest.mark.row("I9")
def test_a_layer_has_a_url_that_s3_answers(
    ecr_api: Any,  # noqa: ANN401
    client: httpx2.Client,
    publisher: Publisher,
    repository: str,
) -> None:
    image = publisher.image(repository, "1", [b"layer"])
    url = ecr_api.get_download_url_for_layer(repositoryName=repository, layerDigest=image.config)["downloadUrl"]
    assert f"sha256:{hashlib.sha256(client.get(url).content).hexdigest()}" == image.config
    with pytest.raises(ClientError) as error:
        ecr_api.get_download_url_for_layer(repositoryName=repository, layerDigest=f"sha256:{'0' * 64}")
    assert code_of(error) == (400, "LayersNotFoundException")


@pytest.mark.row("I10")
def test_a_denied_operation_is_refused_with_its_name(
    ecr_api: Any,  # noqa: ANN401
    control: Control,
    publisher: Publisher,
    repository: str,
) -> None:
    publisher.image(repository, "1", [b"layer"])
    with (
        control.behaving(Behaviour(denied_actions=frozenset({"ecr:DescribeImages"}))),
        pytest.raises(ClientError, match="not authorized to perform: ecr:DescribeImages") as error,
    ):
        ecr_api.describe_images(repositoryName=repository)
    assert code_of(error) == (400, "AccessDeniedException")
