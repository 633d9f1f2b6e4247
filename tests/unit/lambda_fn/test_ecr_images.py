"""What ECR's DescribeImages says about an image; botocore is real, its answers are given."""

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import Image
from lambda_fn.edges.ecr_images import EcrImages
from tests.fakes.hints import image

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

ASKED = {
    "registryId": "123456789012",
    "repositoryName": "team/app",
    "imageIds": [{"imageDigest": image().digest}],
}


class Api:
    """ECR's API with the answers it is given."""

    def __init__(self) -> None:
        self.regions: list[str] = []
        self.client: ECRClient = boto3.client("ecr", region_name="ap-southeast-2")
        self.answers = Stubber(self.client)
        self.answers.activate()

    def __call__(self, region: str) -> "ECRClient":
        self.regions.append(region)
        return self.client


@pytest.fixture
def api() -> Api:
    return Api()


def test_an_image_exists_when_ecr_describes_it(api: Api) -> None:
    images = EcrImages(api)
    for _ in range(2):
        api.answers.add_response("describe_images", {"imageDetails": [{"imageDigest": image().digest}]}, ASKED)
        assert images.exists(image())
    assert api.regions == ["ap-southeast-2"]


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_an_image_does_not_exist_when_ecr_knows_it_or_its_repository_no_longer(api: Api, code: str) -> None:
    api.answers.add_client_error("describe_images", code, "it does not exist", expected_params=ASKED)
    assert not EcrImages(api).exists(image())


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ThrottlingException", "ServerException", "InvalidParameterException"]
)
def test_any_other_refusal_is_an_error_that_says_what_the_role_needs(api: Api, code: str) -> None:
    api.answers.add_client_error("describe_images", code, "no")
    with pytest.raises(RegistryError, match=rf"{code}: no\. Fix: allow the watcher's role ecr:DescribeImages"):
        EcrImages(api).exists(image())


def test_an_ecr_that_cannot_be_reached_is_an_error_that_names_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()

    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://api.ecr.ap-southeast-2.amazonaws.com")

    monkeypatch.setattr(api.client, "describe_images", unreachable)
    with pytest.raises(RegistryError, match=r"the VPC endpoint com\.amazonaws\.ap-southeast-2\.ecr\.api"):
        EcrImages(api).exists(image())


def test_a_dual_stack_host_is_asked_in_its_account_and_region(api: Api) -> None:
    host = "210987654321.dkr-ecr.eu-west-1.on.aws"
    api.answers.add_response("describe_images", {"imageDetails": []}, ASKED | {"registryId": "210987654321"})
    EcrImages(api).exists(Image(host, "team/app", image().digest))
    assert api.regions == ["eu-west-1"]
