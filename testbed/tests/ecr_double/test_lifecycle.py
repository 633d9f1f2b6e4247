"""Pull times and lifecycle rules: rows I of testbed/docs/ecr-double.md."""

from datetime import timedelta

import boto3
import httpx2
import pytest
from botocore.exceptions import ClientError

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.callers import api, code_of


@pytest.fixture
def image(publisher: Publisher, repository: str) -> Image:
    return publisher.image(repository, "1.4", [b"a layer"])


@pytest.mark.row("I1")
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_get_of_a_manifest_is_a_pull(
    ecr: httpx2.Client, control: Control, world: World, repository: str, image: Image, by: str
) -> None:
    assert control.last_pull(world.ecr_host, repository, image.digest) is None
    ecr.get(f"/v2/{repository}/manifests/{'1.4' if by == 'tag' else image.digest}")
    first = control.last_pull(world.ecr_host, repository, image.digest)
    control.advance(1)
    ecr.get(f"/v2/{repository}/manifests/{image.digest}")
    second = control.last_pull(world.ecr_host, repository, image.digest)
    assert first
    assert second
    assert second - first >= timedelta(days=1)


@pytest.mark.row("I1")
def test_one_pull_in_24_hours_is_recorded(
    ecr: httpx2.Client, control: Control, world: World, repository: str, image: Image
) -> None:
    recorded = []
    for _ in range(3):
        ecr.get(f"/v2/{repository}/manifests/{image.digest}")
        recorded.append(control.last_pull(world.ecr_host, repository, image.digest))
        control.advance(20 / 24)
    assert recorded[0]
    assert recorded[2]
    assert recorded[1] == recorded[0]
    assert recorded[2] - recorded[0] >= timedelta(hours=40)


@pytest.mark.row("I2")
def test_a_head_and_a_blob_are_no_pull(
    ecr: httpx2.Client, control: Control, world: World, repository: str, image: Image
) -> None:
    for reference in ("1.4", image.digest):
        assert ecr.head(f"/v2/{repository}/manifests/{reference}").status_code == 200
    assert ecr.get(f"/v2/{repository}/blobs/{image.layers[0]}").status_code == 307
    assert control.last_pull(world.ecr_host, repository, image.digest) is None


@pytest.mark.row("I3")
def test_a_rule_takes_away_what_was_not_pulled_since(
    ecr: httpx2.Client, control: Control, publisher: Publisher, world: World, repository: str, image: Image
) -> None:
    control.advance(20)
    never = publisher.image(repository, "never", [b"another layer"])
    control.advance(20)
    assert control.expire_unused(world.ecr_host, "another", 1) == []
    assert control.expire_unused(world.ecr_host, repository, 30) == [image.digest]
    assert control.expire_unused(world.ecr_host, repository, 30) == []
    assert ecr.get(f"/v2/{repository}/manifests/{never.digest}").status_code == 200
    control.advance(20)
    assert control.expire_unused(world.ecr_host, repository, 30) == [], "it was pulled"


@pytest.mark.row("I4")
def test_a_deleted_or_archived_image_is_unknown_until_it_is_back(
    ecr: httpx2.Client, control: Control, publisher: Publisher, world: World, repository: str, image: Image
) -> None:
    paths = [f"/v2/{repository}/manifests/{reference}" for reference in ("1.4", image.digest)]
    for bring_back in (
        lambda: control.restore_image(world.ecr_host, repository, image.digest),
        lambda: publisher.manifest(repository, "1.4", image.manifest),
    ):
        control.delete_image(world.ecr_host, repository, image.digest)
        assert [ecr.head(path).status_code for path in paths] == [404, 404]
        answers = [ecr.get(path) for path in paths]
        assert [answer.json()["errors"][0]["code"] for answer in answers] == ["MANIFEST_UNKNOWN"] * 2
        bring_back()
        assert [ecr.get(path).status_code for path in paths] == [200, 200]


@pytest.mark.row("I5")
def test_a_principal_is_excluded_until_it_is_deregistered(refresher: boto3.Session, bundle: str, world: World) -> None:
    ecr = api(refresher, "ecr", bundle)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == []
    ecr.register_pull_time_update_exclusion(principalArn=world.refresher_role_arn)
    with pytest.raises(ClientError) as again:
        ecr.register_pull_time_update_exclusion(principalArn=world.refresher_role_arn)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == [world.refresher_role_arn]
    ecr.deregister_pull_time_update_exclusion(principalArn=world.refresher_role_arn)
    with pytest.raises(ClientError) as unknown:
        ecr.deregister_pull_time_update_exclusion(principalArn=world.refresher_role_arn)
    assert ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == []
    assert code_of(again) == (400, "ExclusionAlreadyExistsException")
    assert code_of(unknown) == (400, "ExclusionNotFoundException")


@pytest.mark.row("I6")
def test_the_api_describes_an_image_until_it_is_deleted_and_when_it_is_back(
    refresher: boto3.Session, bundle: str, control: Control, world: World, repository: str, image: Image
) -> None:
    def described(name: str = repository) -> list[str]:
        found = api(refresher, "ecr", bundle).describe_images(
            registryId=world.account, repositoryName=name, imageIds=[{"imageDigest": image.digest}]
        )
        return [each["imageDigest"] for each in found["imageDetails"]]

    assert described() == [image.digest]
    control.delete_image(world.ecr_host, repository, image.digest)
    with pytest.raises(ClientError) as deleted:
        described()
    control.restore_image(world.ecr_host, repository, image.digest)
    assert described() == [image.digest]
    with pytest.raises(ClientError) as unknown:
        described("no/such")
    with control.behaving(Behaviour(images_api_error="ThrottlingException")), pytest.raises(ClientError) as throttled:
        described()
    assert [code_of(each)[1] for each in (deleted, unknown, throttled)] == [
        "ImageNotFoundException",
        "RepositoryNotFoundException",
        "ThrottlingException",
    ]
