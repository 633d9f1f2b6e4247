"""The proxy trusts only upstreams with a certificate of a trusted CA for their own name."""

import secrets

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client

STORE = "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"
FOLLOW = "proxy_pass $layer_url;"
ASK = "proxy_ssl_name $ecr_host;"
BLOB_PATH = "/v2/team/app/blobs/"


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [b"layer"])


def edited(pod: Pod, world: World, old: str, new: str) -> Pod:
    """A pod whose template has one changed line; no certificate here is signed by /etc/frontdoor/scripts/other.crt."""
    (pod.folder / "scripts" / "other.crt").write_bytes(world.pair("domain").certificate.read_bytes())
    template = pod.template(TEMPLATE_KEY)
    assert template.count(old) == 1
    # An open connection would be used again, and its certificate not be checked again.
    pod.configure(template.replace(old, new).replace("keepalive 32;", "keepalive 0;"))
    pod.waits_for_upstreams = False
    pod.start()
    return pod


def assert_logged_when_asked(proxy: Pod, client: Client, words: str) -> None:
    """Return once the words are logged: nginx resolves the registries' names a moment after it listens."""

    def is_logged() -> bool:
        if words in proxy.error_log():
            return True
        assert client.get(f"/v2/team/app/manifests/{secrets.token_hex(4)}", ACCEPT).status == 503
        return False

    wait_until(is_logged, f"the error log has {words!r}", seconds=20)


@pytest.mark.rule("R12")
def test_an_ecr_whose_certificate_is_not_trusted_gets_no_credential(
    pod: Pod, world: World, client: Client, control: Control, image: Image
) -> None:
    proxy = edited(pod, world, STORE, "proxy_ssl_trusted_certificate /etc/frontdoor/scripts/other.crt;")
    mark = control.mark()
    assert_logged_when_asked(proxy, client, "upstream SSL certificate verify error")
    for path in ("/v2/team/app/manifests/1.4", f"{BLOB_PATH}{image.layers[0]}"):
        assert client.get(path, ACCEPT).status == 503
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R12")
def test_an_ecr_with_the_certificate_of_another_name_gets_no_credential(
    pod: Pod, world: World, client: Client, control: Control
) -> None:
    """The double uses one certificate for all registry hosts; 999999999999 is not in it."""
    proxy = edited(pod, world, ASK, "proxy_ssl_name 999999999999.dkr.ecr.ap-southeast-2.amazonaws.com;")
    mark = control.mark()
    assert_logged_when_asked(proxy, client, "does not match")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R12")
def test_an_s3_whose_certificate_is_not_trusted_is_not_read(
    pod: Pod, world: World, client: Client, control: Control, image: Image
) -> None:
    # A session of the startup probe would be resumed, and its certificate not be checked again.
    other = f"proxy_ssl_session_reuse off; proxy_ssl_trusted_certificate /etc/frontdoor/scripts/other.crt; {FOLLOW}"
    edited(pod, world, FOLLOW, other).wait_for_upstreams()
    mark = control.mark()
    assert client.get(f"{BLOB_PATH}{image.layers[0]}").status == 503
    assert [entry.kind for entry in control.requests(mark).entries] == ["registry.blobs"]


@pytest.mark.rule("R13")
def test_a_client_never_gets_the_location_of_a_redirect_that_was_not_followed(
    pod: Pod, world: World, client: Client, image: Image
) -> None:
    edited(pod, world, "error_page 301 302 303 307 308 = @layer;", "").wait_for_upstreams()
    answer = client.get(f"{BLOB_PATH}{image.layers[0]}")
    assert (answer.status, answer.header("Location")) == (307, None)
