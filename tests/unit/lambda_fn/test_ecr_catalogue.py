"""What ECR's API and S3 answer becomes images or errors; botocore is real, its answers are given."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from botocore.exceptions import EndpointConnectionError

from lambda_fn.contract.errors import RegistryError
from lambda_fn.edges.ecr_catalogue import EcrCatalogue
from lambda_fn.job.catalogue.manifest import LARGEST_CONFIGURATION_BYTES
from lambda_fn.job.catalogue.ports import (
    DeniedError,
    Listed,
    RepositoryGoneError,
    SlowError,
    ThrottledError,
    UnreachableError,
)
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.ecr_api import EcrApi
from tests.fakes.ecr_catalogue import REGISTRY

ACCOUNT = {"registryId": "123456789012"}
PAGE = ACCOUNT | {"maxResults": 1_000}
CONTENT = b'{"os": "linux", "architecture": "amd64"}'
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
URL = "https://prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com/x?X-Amz-Signature=secret"


class Api(EcrApi):
    """ECR's API with the answers it is given, and S3 with one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer: Callable[[httpx2.Request], httpx2.Response] = lambda _: httpx2.Response(200, content=CONTENT)
        self.clock = FakeClock()
        self.catalogue = EcrCatalogue(self.clock, self, transport=httpx2.MockTransport(self._layer))

    def _layer(self, request: httpx2.Request) -> httpx2.Response:
        return self.layer(request)

    def layer_url(self) -> None:
        self.answers.add_response("get_download_url_for_layer", {"downloadUrl": URL}, in_app("layerDigest", DIGEST))


def in_app(name: str, value: object) -> dict[str, Any]:
    return {**ACCOUNT, "repositoryName": "team/app", name: value}


@pytest.fixture
def api() -> Api:
    return Api()


def test_repositories_come_in_pages_of_a_thousand(api: Api) -> None:
    first = {"repositories": [{"repositoryName": "team/a"}], "nextToken": "more"}
    api.answers.add_response("describe_repositories", first, PAGE)
    second = {"repositories": [{"repositoryName": "team/b"}]}
    api.answers.add_response("describe_repositories", second, PAGE | {"nextToken": "more"})
    assert [*api.catalogue.repositories(REGISTRY)] == ["team/a", "team/b"]


def test_images_come_in_pages_of_a_thousand_without_archived_ones(api: Api) -> None:
    image = {
        "imageDigest": DIGEST,
        "imageTags": ["1.4"],
        "imagePushedAt": STARTED_AT,
        "lastRecordedPullTime": STARTED_AT,
        "imageSizeInBytes": 7,
        "imageManifestMediaType": "type/of-manifest",
        "artifactMediaType": "type/of-artifact",
        "subjectManifestDigest": "sha256:of-subject",
        "imageStatus": "ACTIVE",
        "imageScanFindingsSummary": {"findingSeverityCounts": {"HIGH": 3}},
    }
    archived = {"imageDigest": "sha256:old", "imagePushedAt": STARTED_AT, "imageStatus": "ARCHIVED"}
    bare = {"imageDigest": "sha256:bare", "imagePushedAt": STARTED_AT}
    expected = PAGE | {"repositoryName": "team/app"}
    api.answers.add_response("describe_images", {"imageDetails": [image, archived], "nextToken": "more"}, expected)
    api.answers.add_response("describe_images", {"imageDetails": [bare]}, expected | {"nextToken": "more"})
    assert api.catalogue.images(REGISTRY, "team/app") == [
        Listed(
            digest=DIGEST,
            tags=("1.4",),
            pushed_at=STARTED_AT,
            pulled_at=STARTED_AT,
            size_bytes=7,
            media_type="type/of-manifest",
            artifact_type="type/of-artifact",
            subject="sha256:of-subject",
            findings={"HIGH": 3},
        ),
        Listed(digest="sha256:bare", pushed_at=STARTED_AT),
    ]


def test_manifests_are_asked_for_a_hundred_at_a_time(api: Api) -> None:
    digests = [f"sha256:{number:064x}" for number in range(150)]
    for part in (digests[:100], digests[100:]):
        images = [{"imageId": {"imageDigest": digest}, "imageManifest": "{}"} for digest in part[1:]]
        failures = [{"imageId": {"imageDigest": part[0]}, "failureCode": "ImageNotFound"}]
        expected = in_app("imageIds", [{"imageDigest": digest} for digest in part])
        expected |= {"acceptedMediaTypes": ANY_TYPES}
        api.answers.add_response("batch_get_image", {"images": images, "failures": failures}, expected)
    found = api.catalogue.manifests(REGISTRY, "team/app", digests)
    assert (len(found.found), found.problems) == (148, ())


ANY_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def test_a_manifest_that_ecr_cannot_give_is_a_problem(api: Api) -> None:
    failure = {"imageId": {"imageDigest": DIGEST}, "failureCode": "KmsError"}
    api.answers.add_response("batch_get_image", {"images": [], "failures": [failure]})
    assert api.catalogue.manifests(REGISTRY, "team/app", [DIGEST]).problems == ("ECR gives no manifest: KmsError",)


def test_a_configuration_is_read_from_s3_without_credentials(api: Api) -> None:
    asked = []

    def layer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, content=CONTENT)

    api.layer = layer
    api.layer_url()
    assert api.catalogue.configurations(REGISTRY, "team/app", [DIGEST]).found == {DIGEST: CONTENT}
    (request,) = asked
    assert str(request.url) == URL
    assert "authorization" not in request.headers


def too_large(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=b"x" * (LARGEST_CONFIGURATION_BYTES + 1))


def broken(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectTimeout("no route")


@pytest.mark.parametrize(
    ("layer", "problem", "is_cut_off"),
    [
        (too_large, "larger than its manifest says", False),
        (broken, "ConnectTimeout", True),
        (lambda _: httpx2.Response(403), "HTTPStatusError", True),
        (lambda _: httpx2.Response(302, headers={"Location": "https://elsewhere.example"}), "HTTPStatusError", True),
        (lambda _: httpx2.Response(200, content=b"other bytes"), "does not have its digest", False),
    ],
    ids=["too large", "no route", "refused", "redirected", "other bytes"],
)
def test_a_configuration_that_s3_does_not_give_is_a_problem_without_the_signed_url(
    api: Api, layer: Callable[[httpx2.Request], httpx2.Response], problem: str, *, is_cut_off: bool
) -> None:
    api.layer = layer
    api.layer_url()
    found = api.catalogue.configurations(REGISTRY, "team/app", [DIGEST])
    assert not found.found
    assert problem in found.problems[0]
    assert "secret" not in found.problems[0]
    assert found.is_cut_off is is_cut_off


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("RepositoryNotFoundException", RepositoryGoneError),
        ("AccessDeniedException", DeniedError),
        ("ThrottlingException", ThrottledError),
        ("ServerException", RegistryError),
    ],
)
def test_an_error_of_ecr_is_classed_and_names_no_repository(api: Api, code: str, error: type[RegistryError]) -> None:
    api.answers.add_client_error("describe_images", code, "not authorized on repository/team/app")
    with pytest.raises(error) as caught:
        api.catalogue.images(REGISTRY, "team/app")
    assert "123456789012 in ap-southeast-2" in str(caught.value)
    assert "team/app" not in str(caught.value)


def test_an_ecr_that_cannot_be_reached_is_an_error_that_names_the_route(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://api.ecr.ap-southeast-2.amazonaws.com")

    monkeypatch.setattr(api.client, "describe_images", unreachable)
    with pytest.raises(UnreachableError, match=r"ECR in ap-southeast-2 cannot .* the VPC endpoint ecr\.api$"):
        api.catalogue.images(REGISTRY, "team/app")


def test_ecr_is_asked_no_faster_than_twenty_times_a_second(api: Api) -> None:
    for _ in range(200):
        api.answers.add_response("describe_images", {"imageDetails": []})
    for _ in range(200):
        api.catalogue.images(REGISTRY, "team/app")
    assert (api.clock.now() - STARTED_AT).total_seconds() == pytest.approx(9, abs=0.1), "the first 20 at once"


def test_a_repository_with_more_images_than_a_run_has_time_for_ends_in_an_error_before_lambda_does(api: Api) -> None:
    api.clock.begin_invocation()
    for number in range(3):
        answer = {"imageDetails": [], "nextToken": f"{number}"}
        api.answers.add_response("describe_images", answer)
    api.client.meta.events.register("provide-client-params.ecr", lambda **_: api.clock.sleep(135))
    with pytest.raises(SlowError, match="more images than ECR lists in the time of one run"):
        api.catalogue.images(REGISTRY, "team/app")
    assert api.clock.remaining_seconds() > 0
