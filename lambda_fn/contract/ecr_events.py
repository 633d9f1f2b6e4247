"""The events of ECR about images: the rules match them, and the watcher reads them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
"""

from enum import StrEnum

SOURCE, DETAIL_TYPE = "aws.ecr", "ECR Image Action"


class Action(StrEnum):
    """What happened to the image; other actions of ECR are of no interest."""

    PUSH = "PUSH"
    DELETE = "DELETE"
