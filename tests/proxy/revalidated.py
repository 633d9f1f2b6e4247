"""Repositories of one test alone, whose images are due at ECR again after a day that takes two seconds."""

import secrets
import time
from dataclasses import dataclass

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Requests
from testbed.sandbox.cloud.publish import Image, Publisher
from tests.proxy.client import ACCEPT, Answer, Client

REVALIDATE_SECONDS = 1
DAY_SECONDS = 2.1
"""After this the interval has passed; nginx counts whole seconds."""


def with_short_days(settings: Settings, *, deleted_seconds: int) -> Settings:
    """The same installation, where a day takes two seconds."""
    times = {"revalidate_seconds": REVALIDATE_SECONDS, "deleted_seconds": deleted_seconds}
    cache = settings.proxy.cache.model_copy(update=times)
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"cache": cache})})


@dataclass(frozen=True)
class Repository:
    """A repository, and a client of the proxy."""

    name: str
    publisher: Publisher
    client: Client

    def push(self, tag: str) -> Image:
        """Push an image with a layer of its own."""
        return self.publisher.image(self.name, tag, [secrets.token_bytes(10)])

    def due(self, tag: str) -> Image:
        """Push an image, pull it, and let a day pass: ECR is asked about it at its next pull."""
        image = self.push(tag)
        assert self.pull(image).status == 200
        time.sleep(DAY_SECONDS)
        return image

    def path(self, image: Image) -> str:
        """Where its manifest is."""
        return f"/v2/{self.name}/manifests/{image.digest}"

    def pull(self, image: Image) -> Answer:
        """GET of the manifest by digest."""
        return self.client.get(self.path(image), ACCEPT)

    def head(self, tag: str) -> Answer:
        """HEAD of a manifest by tag."""
        return self.client.head(f"/v2/{self.name}/manifests/{tag}", ACCEPT)


def pulls(requests: Requests, path: str) -> int:
    """How often ECR was asked for a manifest in a way that it counts as a pull."""
    return sum(entry.method == "GET" and entry.path == path for entry in requests.of("registry.manifests"))
