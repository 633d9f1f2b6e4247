"""Which images ECR has."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import Image
from lambda_fn.contract.registries import ECR_HOST

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_BOUNDED = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html#API_DescribeImages_Errors
_MISSING = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


class EcrImages:
    """The images of every registry it is asked for, without their contents."""

    def __init__(self, new_client: "Callable[[str], ECRClient] | None" = None) -> None:
        self._new_client = new_client or _new_client
        self._clients: dict[str, ECRClient] = {}

    def exists(self, image: Image) -> bool:
        """Whether ECR has the image. One request: of several digests, ECR names one that is missing, and no other.

        Raises:
            RegistryError: ECR refuses, or cannot be reached.
        """
        registry = ECR_HOST.fullmatch(image.host)
        if registry is None:
            raise RegistryError(f"{image.host} is not the host of an ECR registry")
        account, region = registry["account"], registry["region"]
        try:
            if region not in self._clients:
                self._clients[region] = self._new_client(region)
            self._clients[region].describe_images(
                registryId=account, repositoryName=image.repository, imageIds=[{"imageDigest": image.digest}]
            )
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code in _MISSING:
                return False
            raise RegistryError(
                f"ECR in {region} does not say whether {image.repository} of {account} has an image: {code}: "
                f"{message}. Fix: allow the watcher's role ecr:DescribeImages; in another account the repository's "
                "policy has to, as well"
            ) from error
        except (BotoCoreError, OSError) as error:
            raise RegistryError(
                f"ECR in {region} cannot be reached: {error}. Fix: give the watcher a route to the ECR API: NAT, or "
                "the VPC endpoint ecr.api"
            ) from error
        return True


def _new_client(region: str) -> "ECRClient":
    return boto3.client("ecr", region_name=region, config=_BOUNDED)
