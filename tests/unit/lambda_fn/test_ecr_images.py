"""What ECR's DescribeImages says about an image; botocore is real, its answers are given."""

import pytest
from botocore.exceptions import EndpointConnectionError

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import Image
from lambda_fn.edges.ecr_images import EcrImages
from tests.fakes.ecr_api import EcrApi
from tests.fakes.hints import image

ASKED = {
    "registryId": "123456789012",
    "repositoryName": "team/app",
    "imageIds": [{"imageDigest": image().digest}],
}


@pytest.fixture
def api() -> EcrApi:
    return EcrApi()


def test_an_image_exists_when_ecr_describes_it(api: EcrApi) -> None:
    images = EcrImages(api)
    for _ in range(2):
        api.answers.add_response("describe_images", {"imageDetails": [{"imageDigest": image().digest}]}, ASKED)
        assert images.exists(image())
    assert api.regions == ["ap-southeast-2"]


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_an_image_does_not_exist_when_ecr_knows_it_or_its_repository_no_longer(api: EcrApi, code: str) -> None:
    api.answers.add_client_error("describe_images", code, "it does not exist", expected_params=ASKED)
    assert not EcrImages(api).exists(image())


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ThrottlingException", "ServerException", "InvalidParameterException"]
)
def test_any_other_refusal_is_an_error_that_says_what_the_role_needs(api: EcrApi, code: str) -> None:
    api.answers.add_client_error("describe_images", code, "no")
    with pytest.raises(RegistryError, match=rf"{code}: no\. Fix: allow the watcher's role ecr:DescribeImages"):
        EcrImages(api).exists(image())


def test_an_ecr_that_cannot_be_reached_is_an_error_that_names_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    api = EcrApi()

    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://api.ecr.ap-southeast-2.amazonaws.com")

    monkeypatch.setattr(api.client, "describe_images", unreachable)
    with pytest.raises(RegistryError, match=r"ECR in ap-southeast-2 cannot .* the VPC endpoint ecr\.api$"):
        EcrImages(api).exists(image())


def test_a_dual_stack_host_is_asked_in_its_account_and_region(api: EcrApi) -> None:
    host = "210987654321.dkr-ecr.eu-west-1.on.aws"
    api.answers.add_response("describe_images", {"imageDetails": []}, ASKED | {"registryId": "210987654321"})
    EcrImages(api).exists(Image(host, "team/app", image().digest))
    assert api.regions == ["eu-west-1"]
