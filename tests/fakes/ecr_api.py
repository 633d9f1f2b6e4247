"""ECR's API with the answers it is given; botocore is real, so that they have ECR's own shapes."""

from typing import TYPE_CHECKING

import boto3
from botocore.stub import Stubber

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


class EcrApi:
    """Makes clients, as the edges of ECR want it: always the same one.

    Attributes:
        regions: Those that a client was made for.
        client: The client.
        answers: What it answers, in order.
    """

    def __init__(self) -> None:
        self.regions: list[str] = []
        self.client: ECRClient = boto3.client("ecr", region_name="ap-southeast-2")
        self.answers = Stubber(self.client)
        self.answers.activate()

    def __call__(self, region: str) -> "ECRClient":
        self.regions.append(region)
        return self.client
