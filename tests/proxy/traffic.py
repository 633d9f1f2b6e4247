"""New images, requests that reach ECR, one or many at once, and waiting until ECR has received them."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Answer, Client

CLIENTS = 10


def published(publisher: Publisher) -> Image:
    """A new image, of one layer in two slices."""
    return publisher.image("team/app", secrets.token_hex(8), [secrets.token_bytes(1_500_000)])


def paths(image: Image) -> tuple[str, str]:
    """Its manifest and its layer."""
    return f"/v2/team/app/manifests/{image.digest}", f"/v2/team/app/blobs/{image.layers[0]}"


def pull(client: Client, image: Image) -> tuple[Answer, Answer]:
    """Its manifest and its layer."""
    manifest, blob = (client.get(path, ACCEPT) for path in paths(image))
    return manifest, blob


def statuses(client: Client, image: Image) -> list[int]:
    """The statuses of its manifest and its layer."""
    return [answer.status for answer in pull(client, image)]


def request_unknown_tag(client: Client) -> Answer:
    """The answer for a random tag, which ECR does not have."""
    return client.get(f"/v2/team/app/manifests/{secrets.token_hex(8)}", ACCEPT)


def concurrent_answers(client: Client) -> list[Answer]:
    """The answers to concurrent requests, each for another tag."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda _: request_unknown_tag(client), range(CLIENTS)))


def wait_until_requested(control: Control, mark: int, kind: str = "registry", times: int = 1) -> None:
    """Return when ECR has received as many requests since a mark; it may not have answered yet."""
    wait_until(
        lambda: control.requests(mark).count(kind) >= times,
        f"ECR has received {times} requests of kind {kind}",
        pause_seconds=0.02,
    )


def seconds_until_ecr_is_asked(client: Client) -> float:
    """How long new requests are refused from now on."""
    began = time.monotonic()
    wait_until(lambda: request_unknown_tag(client).status == 404, "ECR is asked", seconds=30, pause_seconds=0.02)
    return time.monotonic() - began
