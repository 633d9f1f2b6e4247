"""The events of ECR about images: the rules match them, and the watcher reads them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
"""

from collections.abc import Mapping
from enum import StrEnum

SOURCE = "aws.ecr"


class Action(StrEnum):
    """What happened to the image; other actions of ECR are of no interest."""

    DELETE = "DELETE"
    PUSH = "PUSH"
    REPLICATE = "REPLICATE"
    """The image came from another registry or region. The event is one of the registry that it came to."""
    IMPORT = "IMPORT"
    """A pull made ECR import the image by a pull-through cache rule. ECR has no name for that action."""


DETAIL_TYPES: Mapping[Action, str] = {
    Action.DELETE: "ECR Image Action",
    Action.PUSH: "ECR Image Action",
    Action.REPLICATE: "ECR Replication Action",
    Action.IMPORT: "ECR Pull Through Cache Action",
}
"""An event's `detail-type`."""


def success(action: Action) -> dict[str, str]:
    """The fields of an event's `detail` that say that this has succeeded."""
    if action is Action.IMPORT:
        return {"sync-status": "SUCCESS"}
    return {"action-type": action.value, "result": "SUCCESS"}
