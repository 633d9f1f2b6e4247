"""A node that pulls 20 new images of 15 layers at once, with the default limits."""

import secrets
import time

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from tests.proxy.client import Client
from tests.proxy.limited import EXPOSURE, HONEST, at_once

IMAGES, LAYERS = 20, 15


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.mark.rule("R76")
@pytest.mark.usefixtures("proxy")
def test_a_node_that_pulls_twenty_new_images_at_once_is_not_refused(
    client: Client, control: Control, publisher: Publisher
) -> None:
    tags = [secrets.token_hex(8) for _ in range(IMAGES)]
    images = [publisher.image("team/app", tag, [secrets.token_bytes(500) for _ in range(LAYERS)]) for tag in tags]
    mark, began = control.mark(), time.monotonic()
    manifests = at_once(client, [f"/v2/team/app/manifests/{tag}" for tag in tags], HONEST)
    blobs = [digest for image in images for digest in (image.config, *image.layers)]
    layers = at_once(client, [f"/v2/team/app/blobs/{digest}" for digest in blobs], HONEST)
    assert {answer.status for answer in (*manifests, *layers)} == {200}
    assert time.monotonic() - began < 15
    assert control.requests(mark).count("registry") >= IMAGES * (LAYERS + 3)
