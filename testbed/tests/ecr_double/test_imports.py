"""Pull-through caches: rows U of testbed/docs/ecr-double.md."""

import json
import secrets
import time
from urllib.parse import urlsplit

import boto3
import httpx2
import pytest
from botocore.exceptions import ClientError

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.callers import api, code_of
from testbed.tests.ecr_double.conftest import MANIFEST

HUB = Behaviour(pull_through=frozenset({"hub"}))
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """A healthy double with a cache rule."""
    control.set(HUB)
    return control


@pytest.fixture
def upstream(client: httpx2.Client, world: World, authorization: str) -> Publisher:
    return Publisher(client, world.ecr_hosts[1], authorization)


@pytest.fixture
def name() -> str:
    return f"library/{secrets.token_hex(4)}"


@pytest.fixture
def image(upstream: Publisher, name: str) -> Image:
    return upstream.image(f"{UPSTREAM}/hub/{name}", "1", [b"a layer"])


@pytest.mark.row("U1")
def test_a_get_of_a_tag_imports_the_image(ecr: httpx2.Client, name: str, image: Image) -> None:
    assert ecr.get(f"/v2/hub/{name}/tags/list").status_code == 404
    answer = ecr.get(f"/v2/hub/{name}/manifests/1")
    assert (answer.status_code, answer.content) == (200, image.manifest)
    assert ecr.get(f"/v2/hub/{name}/tags/list").json()["tags"] == ["1"]
    assert ecr.head(f"/v2/hub/{name}/manifests/{image.digest}").status_code == 200
    assert ecr.get(f"/v2/hub/{name}/blobs/{image.layers[0]}").status_code == 307


@pytest.mark.row("U9")
def test_a_cache_rule_fills_its_repositories_until_it_is_deleted(
    ecr: httpx2.Client, control: Control, name: str, image: Image, refresher: boto3.Session, bundle: str
) -> None:
    control.set(Behaviour())
    client = api(refresher, "ecr", bundle)
    path = f"/v2/hub/{name}/manifests/1"
    rule = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    assert ecr.get(path).status_code == 404

    client.create_pull_through_cache_rule(**rule)
    with pytest.raises(ClientError) as again:
        client.create_pull_through_cache_rule(**rule)
    (listed,) = client.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert listed.items() >= rule.items()
    assert ecr.get(path).content == image.manifest

    client.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")
    with pytest.raises(ClientError) as unknown:
        client.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")
    assert client.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    assert code_of(again) == (400, "PullThroughCacheRuleAlreadyExistsException")
    assert code_of(unknown) == (400, "PullThroughCacheRuleNotFoundException")


@pytest.mark.row("U9")
def test_a_creation_template_is_listed_until_it_is_deleted(refresher: boto3.Session, bundle: str) -> None:
    client = api(refresher, "ecr", bundle)
    template = {"prefix": "hub", "appliedFor": ["PULL_THROUGH_CACHE"]}

    made = client.create_repository_creation_template(**template)
    assert made["repositoryCreationTemplate"].items() >= template.items()
    with pytest.raises(ClientError) as again:
        client.create_repository_creation_template(**template)
    assert len(client.describe_repository_creation_templates()["repositoryCreationTemplates"]) == 1

    client.delete_repository_creation_template(prefix="hub")
    with pytest.raises(ClientError) as unknown:
        client.delete_repository_creation_template(prefix="hub")
    assert client.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
    assert code_of(again) == (400, "TemplateAlreadyExistsException")
    assert code_of(unknown) == (400, "TemplateNotFoundException")


@pytest.mark.row("U1")
def test_an_index_is_imported_with_its_images(ecr: httpx2.Client, upstream: Publisher, name: str, image: Image) -> None:
    child = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}).encode()
    upstream.manifest(f"{UPSTREAM}/hub/{name}", "many", index, INDEX)
    answer = ecr.get(f"/v2/hub/{name}/manifests/many", headers={"Accept": INDEX})
    assert (answer.status_code, answer.content) == (200, index)
    assert ecr.get(f"/v2/hub/{name}/manifests/{image.digest}").content == image.manifest


@pytest.mark.row("U1")
def test_an_image_that_was_deleted_is_imported_again(
    ecr: httpx2.Client, control: Control, world: World, name: str, image: Image
) -> None:
    path = f"/v2/hub/{name}/manifests"
    assert ecr.get(f"{path}/1").content == image.manifest
    control.delete_image(world.ecr_host, f"hub/{name}", image.digest)
    assert (ecr.head(f"{path}/1").status_code, ecr.get(f"{path}/{image.digest}").status_code) == (404, 404)
    assert ecr.get(f"{path}/1").content == image.manifest
    assert ecr.get(f"{path}/{image.digest}").content == image.manifest


@pytest.mark.row("U2")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_digest_and_a_head_import_nothing(ecr: httpx2.Client, name: str, image: Image, method: str) -> None:
    assert ecr.request(method, f"/v2/hub/{name}/manifests/{image.digest}").status_code == 404
    assert ecr.head(f"/v2/hub/{name}/manifests/1").status_code == 404


@pytest.mark.row("U3")
@pytest.mark.usefixtures("image")
def test_an_image_that_the_upstream_lacks_is_unknown(ecr: httpx2.Client, name: str) -> None:
    answer = ecr.get(f"/v2/hub/{name}/manifests/2")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


@pytest.mark.row("U4")
@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("action", ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"])
def test_without_the_rights_nothing_is_imported(ecr: httpx2.Client, control: Control, name: str, action: str) -> None:
    control.set(HUB.model_copy(update={"denied_actions": frozenset({action})}))
    answer = ecr.get(f"/v2/hub/{name}/manifests/1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


@pytest.mark.row("U5")
def test_an_import_takes_its_time_and_goes_on_without_its_client(
    ecr: httpx2.Client, control: Control, name: str, image: Image
) -> None:
    control.set(HUB.model_copy(update={"import_seconds": 1}))
    with pytest.raises(httpx2.ReadTimeout):
        ecr.get(f"/v2/hub/{name}/manifests/1", timeout=0.3)
    time.sleep(1.5)
    assert ecr.head(f"/v2/hub/{name}/manifests/{image.digest}").status_code == 200


@pytest.mark.row("U6")
@pytest.mark.usefixtures("image")
def test_a_refused_login_at_the_upstream_is_denied(ecr: httpx2.Client, control: Control, name: str) -> None:
    control.set(HUB.model_copy(update={"import_refused": True}))
    answer = ecr.get(f"/v2/hub/{name}/manifests/1")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (403, "DENIED")
    assert error["message"].startswith("The authentication to the upstream registry failed.")
    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("U7")
@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_import_may_fail(ecr: httpx2.Client, control: Control, name: str, status: int) -> None:
    control.set(HUB.model_copy(update={"import_status": status}))
    assert ecr.get(f"/v2/hub/{name}/manifests/1").status_code == status


@pytest.mark.row("U8")
def test_blobs_may_be_at_the_cdn(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, world: World, name: str, image: Image
) -> None:
    control.set(HUB.model_copy(update={"imports_redirect": True}))
    ecr.get(f"/v2/hub/{name}/manifests/1")
    location = ecr.get(f"/v2/hub/{name}/blobs/{image.layers[0]}").headers["Location"]
    assert urlsplit(location).netloc == world.cdn_host
    mark = control.mark()
    assert client.get(location, headers={"Range": "bytes=2-4"}).content == b"lay"
    assert control.requests(mark).count("cdn.layer") == 1
