"""Which manifests the indexes among some images name, as ECR has them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.account.clients import client
from cli.doctor.aws_calls import error_text
from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import DIGEST, MOST_NAMED, Image
from lambda_fn.contract.media_types import INDEXES, MANIFESTS
from lambda_fn.contract.registries import ECR_HOST

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Indexes:
    """What ECR says.

    Attributes:
        manifests: Those that each index names, also through another index; no image that is not an index.
        unknown: Images about which ECR said nothing, and why.
    """

    manifests: Mapping[Image, Sequence[Image]] = field(default_factory=dict)
    unknown: Mapping[Image, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "indexes": {str(index): [str(each) for each in named] for index, named in self.manifests.items()},
            "not_read": {str(image): reason for image, reason in self.unknown.items()},
        }


def read(aws: boto3.Session, images: Sequence[Image]) -> Indexes:
    """Ask ECR for each image, with the operator's permissions. ECR counts this as a pull.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html
    """
    manifests: dict[Image, list[Image]] = {}
    unknown: dict[Image, str] = {}
    for image in images:
        try:
            if found := _below(aws, image):
                manifests[image] = found
        except (BotoCoreError, ClientError) as error:
            unknown[image] = error_text(error)
            if isinstance(error, BotoCoreError):
                # Without credentials or a route, the next one would wait as long.
                unknown |= dict.fromkeys(images[images.index(image) :], error_text(error))
                break
    return Indexes(manifests, unknown)


def _below(aws: boto3.Session, image: Image) -> list[Image]:
    """The manifests that an image names, if it is an index; also what indexes among these name."""
    seen, waiting = {image.digest: None}, [image.digest]
    while waiting and len(seen) <= MOST_NAMED:
        for descriptor in _named(aws, image, waiting.pop()):
            digest = descriptor.get("digest")
            if isinstance(digest, str) and re.fullmatch(DIGEST, digest, re.ASCII) and digest not in seen:
                seen[digest] = None
                if descriptor.get("mediaType") in INDEXES:
                    waiting.append(digest)
    return [Image(image.host, image.repository, digest) for digest in seen if digest != image.digest]


def _named(aws: boto3.Session, image: Image, digest: str) -> list[Mapping[str, Any]]:
    registry = ECR_HOST.fullmatch(image.host)
    if registry is None:
        raise RegistryError(f"{image.host} is not the host of an ECR registry")
    ecr = client(aws, "ecr", region=registry["region"], timeout_seconds=_TIMEOUT_SECONDS)
    answer = ecr.batch_get_image(
        registryId=registry["account"],
        repositoryName=image.repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=[*MANIFESTS],
    )
    listed = [each for found in answer["images"] for each in json.loads(found["imageManifest"]).get("manifests") or []]
    return [each for each in listed if isinstance(each, Mapping)]
