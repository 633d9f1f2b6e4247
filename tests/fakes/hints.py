"""ECR's images and the hints in the cluster, as fakes; and ECR's events, as EventBridge writes them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lambda_fn.contract import hints
from lambda_fn.contract.errors import RegistryError
from lambda_fn.contract.hints import Hints, Image
from lambda_fn.job.gone_images import Stored

HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
QUEUE = "arn:aws:sqs:ap-southeast-2:123456789012:events"


def image(number: int = 0, repository: str = "team/app", host: str = HOST) -> Image:
    return Image(host, repository, f"sha256:{number:064x}")


class FakeImages:
    """The images of ECR.

    Attributes:
        there: Those that exist.
        refused: Repositories about which ECR does not answer.
        asked: Every question.
        meanwhile: What happens while ECR is asked.
    """

    def __init__(self, *there: Image) -> None:
        self.there = set(there)
        self.refused: set[str] = set()
        self.asked: list[Image] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def exists(self, asked: Image) -> bool:
        self.asked.append(asked)
        if asked.repository in self.refused:
            raise RegistryError(f"ECR does not say whether {asked.repository} has an image")
        found = asked in self.there
        self.meanwhile()
        return found


class FakeStore:
    """The hints in a cluster, as text, with a version as the API server keeps it.

    Attributes:
        data: The ConfigMap's; None where there is none.
        writes: How often it was written.
        is_outdated: Whether a former watcher wrote it.
    """

    def __init__(self, stored: Hints | None = None, *, now: datetime = datetime(2026, 11, 23, 9, tzinfo=UTC)) -> None:
        self.data: dict[str, str] | None = hints.build(stored, now=now) if stored else None
        self.writes = 0
        self.is_outdated = False
        self._version = 0

    @property
    def hints(self) -> Hints:
        return hints.parse(self.data or {})[0]

    def read(self) -> Stored:
        found, wrong_lines = hints.parse(self.data or {})
        return Stored(found, None if self.data is None else str(self._version), wrong_lines, self.is_outdated)

    def write(self, new: Hints, *, version: str | None, now: datetime) -> bool:
        if version != self.read().version:
            return False
        self.data = hints.build(new, now=now)
        self.is_outdated = False
        self.writes += 1
        self._version += 1
        return True


_IMAGE = {"repository-name": "team/app", "image-digest": image().digest, "image-tag": "latest"}
_DETAILS: dict[str, dict[str, Any]] = {
    "ECR Image Action": {"result": "SUCCESS", "action-type": "DELETE", **_IMAGE},
    "ECR Replication Action": {
        "result": "SUCCESS",
        "action-type": "REPLICATE",
        "source-account": "123456789012",
        "source-region": "us-west-2",
        **_IMAGE,
    },
    "ECR Pull Through Cache Action": {
        "rule-version": "1",
        "sync-status": "SUCCESS",
        "ecr-repository-prefix": "team",
        "upstream-registry-url": "public.ecr.aws",
        **_IMAGE,
    },
}
"""Of ECR's own examples: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html ."""


def event(detail_type: str = "ECR Image Action", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """ECR's own example, with other values; those of `detail` by their names with `_`."""
    detail = {**_DETAILS.get(detail_type, _DETAILS["ECR Image Action"])}
    sent = {
        "version": "0",
        "id": "13cde686-328b-6117-af20-0e5566167482",
        "detail-type": detail_type,
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2026-11-23T08:59:30Z",
        "region": "ap-southeast-2",
        "resources": [],
        "detail": detail,
    }
    for key, value in changes.items():
        name = key.replace("_", "-")
        of = sent if name in sent else detail
        of[name] = value
    return sent


def messages(*events: dict[str, Any] | str, queue: str = QUEUE) -> dict[str, Any]:
    """A batch as SQS hands it to Lambda: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html ."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                "body": one if isinstance(one, str) else json.dumps(one),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795737570000"},
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": queue,
                "awsRegion": "ap-southeast-2",
            }
            for number, one in enumerate(events)
        ]
    }
