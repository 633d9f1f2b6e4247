"""Mirrors with `blobs = "redirect"`, where clients read blobs from the upstream's CDN, and with the longest domain."""

import secrets
import ssl

import httpx2
import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client
from tests.proxy.mirrors import RULES, with_mirrors

LONGEST_DOMAIN = ".".join(["a" * 63] * 3 + ["a" * 61])
pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def settings(world: World, resolver: str) -> Settings:
    usual = with_mirrors(world, resolver)
    proxy = usual.proxy.model_copy(update={"blobs": "redirect"})
    return usual.model_copy(update={"domain": LONGEST_DOMAIN, "proxy": proxy})


@pytest.fixture
def client() -> Client:
    """A client that may receive signed URLs."""
    return Client()


@pytest.mark.rule("R157")
def test_clients_name_the_longest_domain(client: Client, publisher: Publisher) -> None:
    blob = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(100))}"
    assert client.get(f"{blob}?ns={LONGEST_DOMAIN}").status == 307
    assert client.get(f"{blob}?ns=example.net").status == 404


@pytest.mark.rule("R27", "R154")
def test_a_client_is_redirected_to_the_hosts_of_the_mirror_and_to_no_other(
    client: Client, control: Control, world: World, trust: ssl.SSLContext, token: Token
) -> None:
    name, layer = f"docker-hub/library/{secrets.token_hex(4)}", secrets.token_bytes(1000)
    with httpx2.Client(verify=trust, trust_env=False) as session:
        image = Publisher(session, world.ecr_hosts[1], token.authorization).image(f"{UPSTREAM}/{name}", "1", [layer])
    blob = f"/v2/{name}/blobs/{image.layers[0]}"
    with control.behaving(RULES.model_copy(update={"imports_redirect": True})):
        assert client.head(f"/v2/{name}/manifests/1", ACCEPT).status == 200
        answer = client.get(blob)
    assert answer.status == 307
    assert (answer.header("Location") or "").startswith(f"https://{world.cdn_host}/")
    with control.behaving(RULES.model_copy(update={"location_host": "evil.example"})):
        answer = client.get(blob)
    assert (answer.status, answer.error_code(), answer.header("Location")) == (502, "UNAVAILABLE", None)
