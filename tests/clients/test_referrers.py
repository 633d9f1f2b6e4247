"""oras and regctl list all that is attached to an image, such as signatures and SBOMs, and ask for each page once."""

import json
import ssl

import httpx2
import pytest

from testbed.clients.client import Client
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import HTTPS_PORT, answers

pytestmark = pytest.mark.long

REPOSITORY = "team/signed"
PAGES_OF_20 = 45


@pytest.fixture(scope="module")
def signed(world: World, trust: ssl.SSLContext, token: Token) -> tuple[str, str, list[str]]:
    """The public name of an image, its digest, and the digests of what is attached to it."""
    with httpx2.Client(verify=trust, trust_env=False) as session:
        publisher = Publisher(session, world.ecr_host, token.authorization)
        image = publisher.image(REPOSITORY, "1", [b"layer"])
        kind = "application/spdx+json"
        attached = [publisher.referrer(REPOSITORY, image, kind, number) for number in range(PAGES_OF_20)]
    return f"{world.domain}:{HTTPS_PORT}/{REPOSITORY}:1", image.digest, sorted(attached)


@pytest.mark.parametrize(
    ("name", "command", "key"),
    [
        ("oras", ("oras", "discover", "--format=json"), "referrers"),
        ("regctl", ("regctl", "artifact", "list", "--format={{json .}}"), "descriptors"),
    ],
)
def test_a_client_lists_everything_that_is_attached_once(
    clients: dict[str, Client],
    signed: tuple[str, str, list[str]],
    pod: Pod,
    name: str,
    command: tuple[str, ...],
    key: str,
) -> None:
    reference, digest, attached = signed
    listed = clients[name].enclosure.run(*command, reference)
    assert listed.succeeded, listed.output
    assert sorted(one["digest"] for one in json.loads(listed.output)[key]) == attached
    assert len([line for line in answers(pod) if line["path"].endswith(f"/referrers/{digest}")]) == 3  # pages
